"""Staff, roles, departments and permissions. Passwords are random text in the form of a hash; keys are made up."""

from sample_crm.dice import Dice
from sample_crm.locales import LOCALES
from sample_crm.people import make_person
from sample_crm.php import php_lists
from sample_crm.store import Value
from sample_crm.world import Employee, World

_ROLES: tuple[tuple[str, dict[str, tuple[str, ...]]], ...] = (
    ("Employee", {"tasks": ("view_own", "create"), "projects": ("view_own",)}),
    ("Sales Agent", {"leads": ("view", "create", "edit"), "invoices": ("view_own", "create"), "proposals": ("view",)}),
    ("Accountant", {"invoices": ("view", "create", "edit", "delete"), "payments": ("view",), "expenses": ("view",)}),
    ("Support Agent", {"customers": ("view",), "knowledge_base": ("view", "create")}),
)


def fill_staff(world: World) -> None:
    """Fill the staff tables; the first member is the administrator, the last has left (inactive)."""
    dice = world.dice("staff")
    for name, permissions in _ROLES:
        world.store.put("roles", name=name, permissions=php_lists(permissions))
    for number in range(1, world.scale.staff + 1):
        world.staff.append(_hire(world, dice, number))
    for employee in world.staff[1:]:
        _grant(world, employee.id)


def _hire(world: World, dice: Dice, number: int) -> Employee:
    days, is_admin = world.days, number == 1
    person = make_person(dice, LOCALES[(number * 3) % len(LOCALES)])
    is_active = number != world.scale.staff
    rate = dice.between(20, 90) * 100
    joined = days.first - dice.between(20, 600)
    email = "admin@gulf-studio.example" if is_admin else f"{person.ascii}@gulf-studio.example"
    key = world.store.put(
        "staff",
        email=email,
        firstname=person.first,
        lastname=person.last,
        facebook=None,
        linkedin=f"https://linkedin.example/in/{person.ascii}",
        phonenumber=f"+971 4 {dice.between(1000000, 9999999)}",
        skype=f"{person.ascii}.live",
        password=dice.password_hash(),
        datecreated=days.stamp(joined, dice.office_second()),
        profile_image=f"{person.ascii}.jpg" if dice.chance(0.5) else None,
        last_ip=dice.address(),
        last_login=days.stamp(-dice.below(9), dice.office_second()),
        last_activity=days.stamp(-dice.below(5), dice.office_second()),
        last_password_change=days.stamp(-dice.between(30, 300), dice.office_second()),
        admin=int(is_admin),
        role=None if is_admin else 2 + number % 3,
        active=int(is_active),
        default_language="arabic" if number % 4 == 0 else None,
        direction="rtl" if number % 4 == 0 else None,
        media_path_slug=person.ascii.replace(".", "-"),
        is_not_staff=0,
        hourly_rate=rate,
        email_signature=f"{person.full}<br />\nGulf Studio",
        **_keys(world, dice, number),
    )
    world.store.put("staff_departments", staffid=key, departmentid=1 + number % 3)
    return Employee(key, person.full, email, rate, is_active)


def _keys(world: World, dice: Dice, number: int) -> dict[str, Value]:
    """Return the secret columns; every third member uses an authenticator, every other a mailed code."""
    recent = world.days.stamp(-2, dice.office_second())
    return {
        "new_pass_key": dice.hex32(),
        "new_pass_key_requested": recent,
        "two_factor_auth_enabled": 2 if number % 3 == 0 else number % 2,
        "two_factor_auth_code": f"{dice.between(100000, 999999)}",
        "two_factor_auth_code_requested": recent,
        "google_auth_secret": f"fake-totp-{dice.hex32()}",
    }


def _grant(world: World, staff_id: int) -> None:
    permissions = _ROLES[1 + staff_id % 3][1]
    for feature, capabilities in permissions.items():
        for capability in capabilities:
            world.store.put("staff_permissions", staff_id=staff_id, feature=feature, capability=capability)
