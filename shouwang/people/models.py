"""Tables of people. Reading a table needs `.within(scope)` or, in background work and inside actions, `.unscoped()`."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.db.models import F, Q

from shouwang.journal.fields import MomentField, PathField
from shouwang.journal.sealed import FingerprintField, SealedField
from shouwang.people.rules.errors import ScopeMissing
from shouwang.people.rules.scope import Scope
from shouwang.people.rules.views import VIEW_NAME_LENGTH, VIEW_QUERY_LENGTH

PATH_LENGTH = 200
PHONE = "people.person.phone"
ID_NUMBER = "people.person.id_number"
ADDRESS = "people.contact.address"
M = TypeVar("M", bound=models.Model)


class ScopedManager(models.Manager[M]):
    """Reads nothing until it is told in whose scope.

    A model's `scope_path` names the column that `within` compares; `scope_self`, where set, the column that holds the
    person, who always sees the own row.
    """

    def get_queryset(self) -> models.QuerySet[M]:
        """Raise ScopeMissing: say `.within(scope)` or `.unscoped()`."""
        raise ScopeMissing(table=self.model.__name__)

    def unscoped(self) -> models.QuerySet[M]:
        """Return all rows: for actions that have checked the right themselves, jobs and bulk look-ups."""
        return super().get_queryset()

    def within(self, scope: Scope, right: str = "people.read") -> models.QuerySet[M]:
        """Return the rows at the places where `scope` has `right`."""
        column = getattr(self.model, "scope_path", "path")
        inside = Q(pk__in=())
        for path in scope.paths_for(right):
            inside |= below(path, column)
        own = getattr(self.model, "scope_self", None)
        if own and scope.kind == "ACCOUNT" and scope.person_id is not None:
            inside |= Q(**{own: scope.person_id})
        return self.unscoped().filter(inside)


def below(path: str, column: str = "path") -> Q:
    """Return the condition that `column` lies at or below `path`: a range, so that an index serves it."""
    return Q(**{f"{column}__gte": path, f"{column}__lt": path[:-1] + "0"})


class Scoped(models.Model):
    """A table that is read in a scope only; Django's own access (related rows, saving, deleting) stays plain."""

    objects: ClassVar[ScopedManager[Any]] = ScopedManager()
    plain: ClassVar[models.Manager[Any]] = models.Manager()

    class Meta:
        abstract = True
        base_manager_name = "plain"


class Organisation(Scoped):
    """An office, hospital, company or committee."""

    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=24)
    phone = models.CharField(max_length=20, blank=True)
    area = models.ForeignKey("places.Area", models.PROTECT, related_name="+")
    path = PathField(max_length=PATH_LENGTH)

    class Meta(Scoped.Meta):
        indexes: ClassVar = [models.Index(fields=["path"], name="people_organisation_path")]


class Person(Scoped):
    """A person: a resident, a relative, an officer. `initials` are the pinyin initials the name is found by.

    Numbers are sealed at rest and found by their fingerprints, whole.
    """

    scope_self: ClassVar[str] = "pk"

    name = models.CharField(max_length=60)
    initials = models.CharField(max_length=16)
    phone = SealedField(about=PHONE, blank=True)
    phone_hash = FingerprintField(of="phone", about=PHONE)
    id_number = SealedField(about=ID_NUMBER, blank=True)
    id_number_hash = FingerprintField(of="id_number", about=ID_NUMBER)
    birth_date = models.DateField(null=True)
    language = models.CharField(max_length=2, default="zh")
    area = models.ForeignKey("places.Area", models.PROTECT, related_name="+")
    path = PathField(max_length=PATH_LENGTH)
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+")
    added_at = MomentField()

    class Meta(Scoped.Meta):
        indexes: ClassVar = [
            models.Index(fields=["path"], name="people_person_path"),
            models.Index(fields=["initials"], name="people_person_initials"),
            models.Index(fields=["phone_hash"], name="people_person_phone", condition=~Q(phone_hash="")),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["id_number_hash"], name="people_person_one_id_number", condition=~Q(id_number_hash="")),
        ]


class Household(Scoped):
    """A home: an address and a point in an area."""

    name = models.CharField(max_length=80)
    address = models.CharField(max_length=200)
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    area = models.ForeignKey("places.Area", models.PROTECT, related_name="+")
    path = PathField(max_length=PATH_LENGTH)
    enrolled_at = MomentField()

    class Meta(Scoped.Meta):
        indexes: ClassVar = [models.Index(fields=["path"], name="people_household_path")]


class Member(Scoped):
    """That a person belongs to a household as RESIDENT, RELATIVE or KEY_HOLDER, until `ended_at` (exclusive)."""

    scope_path: ClassVar[str] = "household__path"
    scope_self: ClassVar[str] = "person"

    household = models.ForeignKey(Household, models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    role = models.CharField(max_length=10)
    relation = models.CharField(max_length=20, blank=True)
    since_at = MomentField()
    ended_at = MomentField(null=True)

    class Meta(Scoped.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["household", "person", "role"], name="people_member_once", condition=Q(ended_at__isnull=True),
            ),
        ]


class DatedFact(Scoped):
    """Something true of a person from a day (inclusive) until a day (exclusive), and who says so."""

    scope_path: ClassVar[str] = "person__path"

    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=24)
    value = models.TextField(blank=True)
    from_date = models.DateField()
    until_date = models.DateField(null=True)
    source = models.CharField(max_length=120)
    recorded_by = models.BigIntegerField(null=True)
    recorded_at = MomentField()

    class Meta(Scoped.Meta):
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(until_date__isnull=True) | Q(until_date__gt=F("from_date")), name="people_fact_span",
            ),
        ]


class Consent(Scoped):
    """That a person agreed to one purpose, in which wording, until it is withdrawn."""

    scope_path: ClassVar[str] = "person__path"
    scope_self: ClassVar[str] = "person"

    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=24)
    wording = models.CharField(max_length=40)
    source = models.CharField(max_length=120)
    given_at = MomentField()
    withdrawn_at = MomentField(null=True)
    recorded_by = models.BigIntegerField(null=True)

    class Meta(Scoped.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["person", "purpose"], name="people_consent_one_live", condition=Q(withdrawn_at__isnull=True),
            ),
        ]


class ContactPreference(Scoped):
    """One channel a person is reached on, and the address there (webhook URL, SMS phone; empty for the inbox)."""

    scope_path: ClassVar[str] = "person__path"
    scope_self: ClassVar[str] = "person"

    person = models.ForeignKey(Person, models.CASCADE, related_name="+")
    channel = models.CharField(max_length=16)
    address = SealedField(about=ADDRESS, blank=True)
    enabled = models.BooleanField(default=True)

    class Meta(Scoped.Meta):
        constraints: ClassVar = [models.UniqueConstraint(fields=["person", "channel"], name="people_contact_once")]


class Duty(Scoped):
    """That a person answers for an object from a day (inclusive) until a day (exclusive).

    An AREA duty names its area, with its path and level beside it; SITE, ORGANISATION and CASE duties name `object_id`.
    """

    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    code = models.CharField(max_length=24)
    rank = models.CharField(max_length=8)
    object_kind = models.CharField(max_length=12, default="AREA")
    object_id = models.BigIntegerField(null=True)
    area = models.ForeignKey("places.Area", models.PROTECT, null=True, related_name="+")
    path = PathField(max_length=PATH_LENGTH, blank=True)
    level = models.CharField(max_length=10, blank=True)
    from_date = models.DateField()
    until_date = models.DateField(null=True)

    class Meta(Scoped.Meta):
        indexes: ClassVar = [models.Index(fields=["path"], name="people_duty_path")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(until_date__isnull=True) | Q(until_date__gte=F("from_date")), name="people_duty_span",
            ),
            models.CheckConstraint(
                condition=(Q(object_kind="AREA") & Q(area__isnull=False) & Q(object_id__isnull=True))
                | (Q(object_kind="SELF") & Q(area__isnull=True) & Q(object_id__isnull=True))
                | (~Q(object_kind__in=("AREA", "SELF")) & Q(area__isnull=True) & Q(object_id__isnull=False)),
                name="people_duty_object",
            ),
            models.UniqueConstraint(
                fields=["person", "code", "area"], name="people_duty_one_live", condition=Q(until_date__isnull=True),
            ),
        ]


class Shift(Scoped):
    """That a person, with or without a deputy, is on duty at an area in [start_at, until_at)."""

    area = models.ForeignKey("places.Area", models.PROTECT, related_name="+")
    path = PathField(max_length=PATH_LENGTH)
    level = models.CharField(max_length=10)
    code = models.CharField(max_length=24)
    start_at = MomentField()
    until_at = MomentField()
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    deputy = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")

    class Meta(Scoped.Meta):
        indexes: ClassVar = [models.Index(fields=["until_at"], name="people_shift_until")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(until_at__gt=F("start_at")), name="people_shift_span"),
            models.CheckConstraint(
                condition=Q(deputy__isnull=True) | ~Q(deputy=F("person")), name="people_shift_two_persons",
            ),
            models.UniqueConstraint(fields=["area", "code", "start_at"], name="people_shift_once"),
        ]


class Leave(Scoped):
    """That a person is away from a day (inclusive) until a day (exclusive) and answers for nothing; whoever stands in does."""

    scope_path: ClassVar[str] = "person__path"
    scope_self: ClassVar[str] = "person"

    person = models.ForeignKey(Person, models.CASCADE, related_name="+")
    from_date = models.DateField()
    until_date = models.DateField()
    noted_by = models.BigIntegerField(null=True)
    noted_at = MomentField()

    class Meta(Scoped.Meta):
        indexes: ClassVar = [models.Index(fields=["until_date"], name="people_leave_until")]
        constraints: ClassVar = [models.CheckConstraint(condition=Q(until_date__gt=F("from_date")), name="people_leave_span")]


class AccountManager(ScopedManager["Account"]):
    """Finds accounts by user name, as Django's sign-in asks."""


class PlainAccountManager(models.Manager["Account"]):
    """What Django's own sign-in reads accounts with."""

    def get_by_natural_key(self, username: str) -> Account:
        """Return the account with this user name. Raises Account.DoesNotExist."""
        return self.get(username=username)


class Account(AbstractBaseUser):
    """A user name and a password by which a person signs in; what it may do comes from the person's duties."""

    scope_path: ClassVar[str] = "person__path"

    username = models.CharField(max_length=60, unique=True)
    person = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    is_active = models.BooleanField(default=True)
    last_login = None  # a moment like every other here: signed_in_at
    signed_in_at = MomentField(null=True)
    failures = models.SmallIntegerField(default=0)
    locked_until = MomentField(null=True)

    objects: ClassVar[AccountManager] = AccountManager()
    plain: ClassVar[PlainAccountManager] = PlainAccountManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        base_manager_name = "plain"
        default_manager_name = "plain"


class Credential(Scoped):
    """A token that is no person's password: a LINK to one object, a DEVICE or an INTEGRATION. Only its hash is kept.

    `rights` are the words of what it was issued for; none means the usual ones of its kind. `used_at` says when it was last
    used, to within a day: a device that sends each minute must not cost a write each minute.
    """

    kind = models.CharField(max_length=11)
    hash = models.CharField(max_length=64, unique=True)
    person = models.ForeignKey(Person, models.CASCADE, null=True, related_name="+", db_constraint=False)
    subject = models.CharField(max_length=80, blank=True)
    object_kind = models.CharField(max_length=12, blank=True)
    object_id = models.BigIntegerField(null=True)
    paths = models.JSONField(default=list)
    rights = models.CharField(max_length=200, blank=True, default="", db_default="")
    issued_at = MomentField()
    expires_at = MomentField(null=True)
    revoked_at = MomentField(null=True)
    used_at = MomentField(null=True)

    class Meta(Scoped.Meta):
        indexes: ClassVar = [
            models.Index(fields=["object_kind", "object_id"], name="people_credential_object"),
            models.Index(fields=["subject"], condition=~Q(kind="LINK"), name="people_credential_subject"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(kind="LINK")
                | (Q(person__isnull=False) & Q(object_id__isnull=False) & Q(expires_at__isnull=False) & ~Q(object_kind="")),
                name="people_credential_link_bound",
            ),
        ]


class AccessLog(Scoped):
    """Who saw, exported or entered what, when and why. Rows are added, never changed."""

    at = MomentField()
    action = models.CharField(max_length=16)
    account_id = models.BigIntegerField(null=True)
    actor_id = models.BigIntegerField(null=True)
    object_kind = models.CharField(max_length=16, blank=True)
    object_id = models.BigIntegerField(null=True)
    path = PathField(max_length=PATH_LENGTH, blank=True)
    reason = models.CharField(max_length=200, blank=True)

    class Meta(Scoped.Meta):
        indexes: ClassVar = [
            models.Index(fields=["object_kind", "object_id"], name="people_access_object"),
            models.Index(fields=["at"], name="people_access_at"),
        ]


class ImportDraft(Scoped):
    """A list that was read and checked and waits for its reader's word; dropped when imported, or after a day."""

    account_id = models.BigIntegerField()
    file_name = models.CharField(max_length=120)
    head = models.TextField()
    good = SealedField(about="people.draft.good")
    bad = SealedField(about="people.draft.bad")
    made_at = MomentField()


class SavedView(Scoped):
    """What one account likes a page narrowed to, under a name: `query` is the page's address after "?".

    One that was dropped stays until the account saves or drops another, so that it can be taken back.
    """

    scope_path: ClassVar[str] = "account__person__path"

    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    page = models.CharField(max_length=16)
    name = models.CharField(max_length=VIEW_NAME_LENGTH)
    query = models.CharField(max_length=VIEW_QUERY_LENGTH)
    saved_at = MomentField()
    dropped_at = MomentField(null=True)

    class Meta(Scoped.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "page", "name"], name="people_view_once", condition=Q(dropped_at__isnull=True)),
        ]
