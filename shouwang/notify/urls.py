"""Addresses of the notify room."""

from __future__ import annotations

from django.urls import path

from shouwang.notify.pages import channels, own, own_texts, robots, speakers

app_name = "notify"
urlpatterns = [
    path("account/channels/", own.own_channels, name="own_channels"),
    path("settings/texts/", own_texts.texts, name="texts"),
    path("settings/texts/<slug:code>/", own_texts.change, name="change_text"),
    path("settings/channels/", channels.channels, name="channels"),
    path("settings/channels/<slug:code>/", channels.save, name="save_channel"),
    path("settings/channels/<slug:code>/test/", channels.test, name="test_channel"),
    path("settings/channels/<slug:code>/robots/", robots.save, name="save_robot"),
    path("settings/channels/<slug:code>/robots/<int:robot_id>/remove/", robots.remove, name="remove_robot"),
    path("settings/channels/<slug:code>/robots/<int:robot_id>/test/", robots.test, name="test_robot"),
    path("settings/speakers/", speakers.speakers, name="speakers"),
    path("settings/speakers/new/", speakers.add, name="add_speaker"),
    path("settings/speakers/<int:speaker_id>/", speakers.edit, name="speaker"),
    path("settings/speakers/<int:speaker_id>/test/", speakers.test, name="test_speaker"),
]
