"""Django's settings. Every value an office may change comes from `environment`; nothing here is read elsewhere by name."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from shouwang.config.environment import Environment, database, secret_key

ENVIRONMENT = Environment(os.environ)
SHOUWANG_DATA_DIR = Path(ENVIRONMENT.text("data_dir")).resolve()
SHOUWANG_DATA_DIR.mkdir(parents=True, exist_ok=True)
SHOUWANG_DEMO = ENVIRONMENT.flag("demo")
SHOUWANG_ADDRESS = ENVIRONMENT.text("address").rstrip("/")
SHOUWANG_CELL = ENVIRONMENT.text("cell")
SHOUWANG_FIELD_KEYS = ENVIRONMENT.text("field_keys")
SHOUWANG_KEEP_READINGS_DAYS = ENVIRONMENT.number("keep_readings_days", least=45)
SHOUWANG_SOURCES = ENVIRONMENT.tables("sources")
SHOUWANG_WEBHOOK_ALLOW = ENVIRONMENT.words("webhook_allow")

SECRET_KEY = secret_key(ENVIRONMENT.text("secret_key"), SHOUWANG_DATA_DIR)
DEBUG = ENVIRONMENT.flag("debug")
ALLOWED_HOSTS = ENVIRONMENT.words("hosts")
CSRF_TRUSTED_ORIGINS = ENVIRONMENT.words("origins")

ROOMS = (
    "journal", "files", "ui", "places", "people", "telemetry", "notify", "cases", "alerts", "requests", "activities",
    "watch", "systems.drowning", "systems.living_alone", "indicators", "web",
)
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    *(f"shouwang.{room}" for room in ROOMS if importlib.util.find_spec(f"shouwang.{room}.apps")),
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "shouwang.ui.middleware.SecurityHeaders",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "shouwang.people.middleware.WhoIsAsking",
]
ROOT_URLCONF = "shouwang.config.urls"
WSGI_APPLICATION = "shouwang.config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["shouwang.ui.templatetags.ui"],
        },
    },
]
DATABASES = {"default": database(ENVIRONMENT.text("database"), SHOUWANG_DATA_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "people.Account"
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"

LANGUAGE_CODE = "zh-hans"
TIME_ZONE = "Asia/Shanghai"
USE_I18N = True
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = SHOUWANG_DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = False  # config.wsgi gathers the files, compressed, before the first request
DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "shouwang.ui.pages.stale_form"
X_FRAME_OPTIONS = "DENY"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}
