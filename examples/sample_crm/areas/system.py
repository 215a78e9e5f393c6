"""The tables a gateway must never show, with made-up secrets in them, and the system's logs and templates."""

from sample_crm.dice import Dice
from sample_crm.world import ADMIN_ID, World

_TEMPLATES = (
    ("invoice", "invoice-send-to-client", "Send invoice to customer"),
    ("estimate", "estimate-send-to-client", "Send estimate to customer"),
    ("tickets", "ticket-reply", "Ticket reply"),
    ("staff", "staff-forgot-password", "Forgot password"),
)
_MODULES = ("goals", "surveys", "theme_style", "menu_setup", "backup")


def fill_system(world: World) -> None:
    """Fill sessions, keys, the vault, the mail queue, logs, templates and modules."""
    dice = world.dice("system")
    _fill_sessions(world, dice)
    _fill_vault(world, dice)
    _fill_mail_queue(world, dice)
    _fill_meta(world, dice)
    _fill_log(world, dice)
    for number, (kind, slug, name) in enumerate(_TEMPLATES, start=1):
        for language in ("english", "arabic"):
            world.store.put(
                "emailtemplates",
                type=kind,
                slug=slug,
                language=language,
                name=name if language == "english" else f"{name} [arabic]",
                subject=f"{name}: {{invoice_number}}",
                message="Hello {contact_firstname},<br><br>please find it attached.",
                fromname="{companyname} | CRM",
                fromemail="crm@gulf-studio.example",
                plaintext=0,
                active=1,
                order=number,
            )
    for name in _MODULES:
        world.store.put("modules", module_name=name, installed_version="2.3.0", active=int(name != "backup"))


def _fill_sessions(world: World, dice: Dice) -> None:
    for number in range(5):
        world.store.put(
            "sessions",
            id=dice.hex32() + dice.hex32()[:8],
            ip_address=dice.address(),
            timestamp=world.days.unix(-number, dice.office_second()),
            data=f'__ci_last_regenerate|i:1;staff_user_id|s:1:"{number + 1}";fake_session|b:1;'.encode(),
        )
        world.store.put(
            "user_auto_login",
            key_id=dice.hex32(),
            user_id=1 + number,
            user_agent="Mozilla/5.0 (sample)",
            last_ip=dice.address(),
            last_login=world.days.stamp(-number - 1, dice.office_second()),
            staff=int(number % 2 == 0),
        )


def _fill_vault(world: World, dice: Dice) -> None:
    for number, client in enumerate(world.clients[: max(3, len(world.clients) // 20)]):
        creator = world.agent(dice)
        stamp = world.days.stamp(max(client.created, -400), dice.office_second())
        world.store.put(
            "vault",
            customer_id=client.id,
            server_address=f"server{number}.customer.example",
            port=22,
            username=f"root{number}",
            password=f"fake-vault-{dice.hex32()}",
            description="Key phrase: blue heron<br />\nAsk before use",
            creator=creator.id,
            creator_name=creator.name,
            visibility=1 + number % 3,
            share_in_projects=number % 2,
            last_updated=stamp,
            last_updated_from=creator.name,
            date_created=stamp,
        )


def _fill_mail_queue(world: World, dice: Dice) -> None:
    for number, status in enumerate(("pending", "sending", "sent", "failed")):
        world.store.put(
            "mail_queue",
            engine="phpmailer",
            email=f"reader{number}@mail.example",
            cc="copy@mail.example",
            bcc="blind@mail.example",
            message=f"<p>Set a new password: https://crm.example/reset/{dice.hex32()}</p>",
            alt_message=f"Set a new password: https://crm.example/reset/{dice.hex32()}",
            status=status,
            date=world.days.stamp(-number, dice.office_second()),
            headers='a:1:{s:4:"from";s:23:"crm@gulf-studio.example";}',
            attachments="a:0:{}",
        )


def _fill_meta(world: World, dice: Dice) -> None:
    contact = next(client.contacts[0] for client in world.clients if client.contacts)
    rows = (
        (ADMIN_ID, 0, 0, "dashboard_widgets_visibility", "a:0:{}"),
        (0, world.clients[0].id, 0, "portal_theme", "dark"),
        (0, 0, contact.id, "consent_key", f"fake-consent-{dice.hex32()}"),
    )
    for staff_id, client_id, contact_id, name, value in rows:
        world.store.put(
            "user_meta", staff_id=staff_id, client_id=client_id, contact_id=contact_id, meta_key=name, meta_value=value
        )


def _fill_log(world: World, dice: Dice) -> None:
    for number in range(40):
        actor = None if number % 10 == 9 else "[CRON]" if number % 10 == 8 else world.agent(dice).name
        world.store.put(
            "activity_log",
            description=f"User logged in [E-mail: staff{number}@gulf-studio.example, IP: {dice.address()}]",
            date=world.days.stamp(-number, dice.office_second()),
            staffid=actor,
        )
