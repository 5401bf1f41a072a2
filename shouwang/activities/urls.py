"""Addresses of activities: for officers under /activities/, for everybody under /a/ with the public code."""

from __future__ import annotations

from django.urls import path

from shouwang.activities.pages import desk, entries, paper, photos, public, windows

app_name = "activities"
urlpatterns = [
    path("activities/", desk.activities, name="activities"),
    path("activities/calendar/", desk.calendar, name="calendar"),
    path("activities/new/", desk.new, name="new"),
    path("activities/<int:activity_id>/", desk.activity, name="activity"),
    path("activities/<int:activity_id>/edit/", desk.edit, name="edit"),
    path("activities/<int:activity_id>/copy/", desk.copy, name="copy"),
    path("activities/<int:activity_id>/do/<slug:what>/", desk.move, name="move"),
    path("activities/<int:activity_id>/count/", desk.count, name="count"),
    path("activities/<int:activity_id>/cost/", desk.cost, name="cost"),
    path("activities/<int:activity_id>/number/", windows.give, name="give"),
    path("activities/<int:activity_id>/matters/", windows.matter, name="matter"),
    path("activities/<int:activity_id>/windows/<int:number>/", windows.window, name="window"),
    path("activities/<int:activity_id>/windows/<int:number>/now/", windows.waiting, name="waiting"),
    path("activities/<int:activity_id>/windows/<int:number>/<slug:what>/", windows.call, name="call"),
    path("activities/<int:activity_id>/sign-ups/", entries.sign_ups, name="sign_ups"),
    path("activities/<int:activity_id>/sign-ups/<int:sign_up_id>/<slug:what>/", entries.change, name="sign_up"),
    path("activities/<int:activity_id>/notice/", paper.notice, name="notice"),
    path("activities/<int:activity_id>/sheet/", paper.sheet, name="sheet"),
    path("activities/<int:activity_id>/photos/", photos.add, name="add_photo"),
    path("activities/<int:activity_id>/photos/<int:file_id>/", photos.show, name="photo"),
    path("activities/<int:activity_id>/photos/<int:file_id>/remove/", photos.remove, name="remove_photo"),
    path("a/<slug:code>/", public.activity, name="public"),
    path("a/<slug:code>/mine/<str:token>/", public.mine, name="mine"),
    path("a/<slug:code>/number/", public.number, name="number"),
    path("a/<slug:code>/number/<int:number>/", public.turn, name="turn"),
    path("a/<slug:code>/rate/", public.rate, name="rate"),
    path("a/<slug:code>/board/", public.board, name="board"),
    path("a/<slug:code>/board/now/", public.board_now, name="board_now"),
]
