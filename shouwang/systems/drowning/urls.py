"""Addresses of the drowning system."""

from __future__ import annotations

from django.urls import path

from shouwang.systems.drowning.pages import cameras, hazards, live, parties, patrols, waters

app_name = "drowning"
urlpatterns = [
    path("waters/", waters.waters, name="waters"),
    path("waters/new/", waters.new, name="new"),
    path("waters/live/", live.live, name="live"),
    path("waters/live/pictures/", live.pictures, name="live_pictures"),
    path("waters/hazards/", hazards.hazards, name="hazards"),
    path("waters/hazards/<int:hazard_id>/", hazards.hazard, name="hazard"),
    path("waters/hazards/<int:hazard_id>/take/", hazards.take, name="take_hazard"),
    path("waters/hazards/<int:hazard_id>/photo/<int:number>/", hazards.photo, name="hazard_photo"),
    path("waters/patrols/", patrols.patrols, name="patrols"),
    path("waters/patrols/calendar/", patrols.calendar, name="patrol_calendar"),
    path("waters/patrols/<int:patrol_id>/done/", patrols.do, name="do_patrol"),
    path("waters/parties/", parties.parties, name="parties"),
    path("waters/parties/make/", parties.make, name="make_parties"),
    path("waters/parties/<int:party_item_id>/done/", parties.tick, name="tick"),
    path("waters/joint/", parties.joint, name="joint"),
    path("waters/joint/new/", parties.new_joint, name="new_joint"),
    path("waters/figures/", live.figures, name="figures"),
    path("waters/picture/<str:token>/", cameras.picture, name="picture"),
    path("waters/camera/<int:camera_id>/", cameras.camera, name="camera"),
    path("waters/camera/<int:camera_id>/zones/", cameras.zones, name="zones"),
    path("waters/camera/<int:camera_id>/threshold/", cameras.threshold, name="threshold"),
    path("waters/known/<int:known_id>/end/", waters.end_known, name="end_known"),
    path("waters/<int:water_id>/", waters.water, name="water"),
    path("waters/<int:water_id>/hazard/", hazards.new_hazard, name="new_hazard"),
    path("waters/<int:water_id>/edit/", waters.edit, name="edit"),
    path("waters/<int:water_id>/known/", waters.known, name="known"),
    path("waters/<int:water_id>/camera/", waters.add_camera, name="add_camera"),
    path("waters/<int:water_id>/watch/", waters.watch, name="watch"),
]
