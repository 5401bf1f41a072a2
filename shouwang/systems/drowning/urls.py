"""Addresses of the drowning system."""

from __future__ import annotations

from django.urls import path

from shouwang.systems.drowning.pages import cameras, live, waters

app_name = "drowning"
urlpatterns = [
    path("waters/", waters.waters, name="waters"),
    path("waters/new/", waters.new, name="new"),
    path("waters/live/", live.live, name="live"),
    path("waters/live/pictures/", live.pictures, name="live_pictures"),
    path("waters/figures/", live.figures, name="figures"),
    path("waters/picture/<str:token>/", cameras.picture, name="picture"),
    path("waters/camera/<int:camera_id>/", cameras.camera, name="camera"),
    path("waters/camera/<int:camera_id>/zones/", cameras.zones, name="zones"),
    path("waters/camera/<int:camera_id>/threshold/", cameras.threshold, name="threshold"),
    path("waters/known/<int:known_id>/end/", waters.end_known, name="end_known"),
    path("waters/<int:water_id>/", waters.water, name="water"),
    path("waters/<int:water_id>/edit/", waters.edit, name="edit"),
    path("waters/<int:water_id>/known/", waters.known, name="known"),
    path("waters/<int:water_id>/camera/", waters.add_camera, name="add_camera"),
    path("waters/<int:water_id>/watch/", waters.watch, name="watch"),
]
