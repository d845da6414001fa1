"""Shoppers in the admin, and what the two groups of the staff may do there."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts import groups
from accounts.groups import UnknownPermission, ensure_groups
from accounts.models import Address, User
from accounts.tests.conftest import PASSWORD

ADD = {"email": "New@Example.com", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
NO_ADDRESSES = {"addresses-TOTAL_FORMS": "0", "addresses-INITIAL_FORMS": "0"}


def _logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def admin(db: None) -> Client:
    return _logged_in(User.objects.create_superuser("admin@example.com", PASSWORD))


@pytest.fixture
def support(db: None) -> Client:
    ensure_groups()
    user = User.objects.create_user("support@example.com", PASSWORD, is_staff=True)
    user.groups.add(Group.objects.get(name="support"))
    return _logged_in(user)


def test_a_shopper_is_found_by_a_part_of_the_address(admin: Client, buyer: User, rival: User) -> None:
    page = admin.get(reverse("admin:accounts_user_changelist"), {"q": "buyer@"}).content.decode()
    assert "buyer@example.com" in page
    assert "rival@example.com" not in page


@pytest.mark.parametrize("filters", [{"standing__exact": "blocked"}, {"level__exact": "3"}])
def test_the_list_filters_by_what_sales_ask(
    admin: Client, buyer: User, rival: User, filters: dict[str, str]
) -> None:
    User.objects.filter(pk=buyer.pk).update(standing="blocked", level=3)
    page = admin.get(reverse("admin:accounts_user_changelist"), filters).content.decode()
    assert "buyer@example.com" in page
    assert "rival@example.com" not in page


def test_a_shopper_is_added_with_an_address_in_lower_case(admin: Client) -> None:
    url = reverse("admin:accounts_user_add")
    assert 'name="email"' in admin.get(url).content.decode()
    admin.post(url, ADD)
    assert User.objects.get(email="new@example.com").check_password(PASSWORD)


def test_the_same_address_in_capitals_is_refused(admin: Client, buyer: User) -> None:
    page = admin.post(reverse("admin:accounts_user_add"), {**ADD, "email": "BUYER@example.com"})
    assert "already exists" in page.content.decode()
    assert User.objects.filter(email__iexact="buyer@example.com").count() == 1


def test_level_and_standing_are_changed_and_the_password_kept(
    admin: Client, buyer: User, home: Address
) -> None:
    url = reverse("admin:accounts_user_change", args=[buyer.pk])
    page = admin.get(url).content.decode()
    assert 'value="12 Mill Lane"' in page
    form = {"email": buyer.email, "level": "4", "standing": "blocked", "is_active": "on"}
    assert admin.post(url, form | NO_ADDRESSES).status_code == 302
    buyer.refresh_from_db()
    assert (buyer.level, buyer.standing, buyer.check_password(PASSWORD)) == (4, "blocked", True)


def test_a_password_is_set_for_somebody_who_lost_it(admin: Client, buyer: User) -> None:
    url = reverse("admin:auth_user_password_change", args=[buyer.pk])
    assert admin.get(url).status_code == 200
    form = {"usable_password": "true", "password1": "a-new-field-lamp", "password2": "a-new-field-lamp"}
    admin.post(url, form)
    buyer.refresh_from_db()
    assert buyer.check_password("a-new-field-lamp")


def test_block_and_unblock_tell_how_many_changed(admin: Client, buyer: User, rival: User) -> None:
    url = reverse("admin:accounts_user_changelist")
    chosen = {"_selected_action": [str(buyer.pk), str(rival.pk)]}
    User.objects.filter(pk=rival.pk).update(standing="blocked")
    page = admin.post(url, {"action": "block", **chosen}, follow=True).content.decode()
    assert "1 account was changed." in page
    assert User.objects.filter(standing="blocked").count() == 2
    page = admin.post(url, {"action": "unblock", **chosen}, follow=True).content.decode()
    assert "2 accounts were changed." in page
    assert User.objects.filter(standing="blocked").count() == 0


def test_groups_are_shown(admin: Client) -> None:
    ensure_groups()
    assert "merchandiser" in admin.get(reverse("admin:auth_group_changelist")).content.decode()
    group = Group.objects.get(name="support")
    assert admin.get(reverse("admin:auth_group_change", args=[group.pk])).status_code == 200


def test_shoppers_do_not_enter_the_admin(as_buyer: Client) -> None:
    assert as_buyer.get(reverse("admin:index")).status_code == 302
    assert as_buyer.get(reverse("admin:accounts_user_changelist")).status_code == 302


def test_setting_up_groups_twice_changes_nothing(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("setup_groups")
    before = {(g.name, p.codename) for g in Group.objects.all() for p in g.permissions.all()}
    call_command("setup_groups")
    assert {(g.name, p.codename) for g in Group.objects.all() for p in g.permissions.all()} == before
    assert capsys.readouterr().out == "Groups: merchandiser, support, auditor.\n" * 2


@pytest.mark.parametrize(
    ("group", "may", "may_not"),
    [
        (
            "merchandiser",
            {
                "catalogue.add_product",
                "flashsale.change_sale",
                "orders.view_order",
                "flashsale.view_parkedentry",
            },
            {"orders.change_order", "flashsale.change_reservation", "accounts.view_user"},
        ),
        (
            "support",
            {
                "accounts.view_user",
                "orders.change_order",
                "flashsale.change_reservation",
                "orders.view_payment",
            },
            {
                "accounts.change_user",
                "orders.delete_order",
                "flashsale.change_sale",
                "catalogue.change_product",
            },
        ),
    ],
)
def test_a_group_may_do_what_it_needs_and_no_more(
    db: None, group: str, may: set[str], may_not: set[str]
) -> None:
    ensure_groups()
    user = User.objects.create_user("staff@example.com", PASSWORD, is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    assert may <= user.get_all_permissions()
    assert not may_not & user.get_all_permissions()


def test_support_adds_and_deletes_nothing(support: Client) -> None:
    codenames = Group.objects.get(name="support").permissions.values_list("codename", flat=True)
    assert {codename.split("_")[0] for codename in codenames} == {"view", "change"}


def test_a_permission_that_does_not_exist_is_named(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "GROUPS", {"support": {"accounts": {"shopper": ("view",)}}})
    with pytest.raises(UnknownPermission, match=r"There is no permission accounts\.view_shopper\."):
        ensure_groups()


def test_support_reads_shoppers_and_changes_none(support: Client, buyer: User) -> None:
    url = reverse("admin:accounts_user_change", args=[buyer.pk])
    assert support.get(url).status_code == 200
    assert support.post(url, {"email": buyer.email, "level": "9"} | NO_ADDRESSES).status_code == 403
    buyer.refresh_from_db()
    assert buyer.level == 0


def test_staff_who_may_change_shoppers_cannot_make_themselves_superusers(db: None) -> None:
    ensure_groups()
    user = User.objects.create_user("lead@example.com", PASSWORD, is_staff=True)
    ensure = Group.objects.create(name="lead")
    ensure.permissions.set(Permission.objects.filter(content_type__app_label="accounts"))
    user.groups.add(ensure)
    form = {"email": user.email, "level": "1", "standing": "ok", "is_active": "on", "is_superuser": "on"}
    url = reverse("admin:accounts_user_change", args=[user.pk])
    assert _logged_in(user).post(url, form | {"is_staff": "on"} | NO_ADDRESSES).status_code == 302
    user.refresh_from_db()
    assert (user.level, user.is_superuser) == (1, False)


def test_staff_cannot_change_a_superuser(db: None) -> None:
    chief = User.objects.create_superuser("chief@example.com", PASSWORD)
    user = User.objects.create_user("lead@example.com", PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts"))
    url = reverse("admin:auth_user_password_change", args=[chief.pk])
    assert _logged_in(user).post(url, {"password1": PASSWORD, "password2": PASSWORD}).status_code == 403
