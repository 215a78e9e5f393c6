"""The office itself: knowledge base, announcements, newsfeed, calendar, to-dos, goals, notifications, filters."""

from sample_crm.dice import Dice
from sample_crm.php import php_list
from sample_crm.world import ADMIN_ID, World

_ARTICLES = (
    "Getting started",
    "كيفية الدفع",
    "Comment exporter",
    "Reset a password",
    "Rechnungen lesen",
    "Release notes",
)
_TODOS = ("Order coffee ☕", "Call the bank", "Prepare the quarterly report", "مراجعة الفواتير")


def fill_office(world: World) -> None:
    """Fill the tables of the office area."""
    dice = world.dice("office")
    _fill_knowledge(world, dice)
    _fill_announcements(world, dice)
    _fill_newsfeed(world, dice)
    _fill_calendar(world, dice)
    _fill_goals(world)
    _fill_notifications(world, dice)
    _fill_filters(world)
    _fill_requests(world, dice)


def _fill_knowledge(world: World, dice: Dice) -> None:
    for order, name in enumerate(("Basics", "Billing"), start=1):
        world.store.put(
            "knowledge_base_groups",
            name=name,
            group_slug=name.lower(),
            description=f"Articles about {name.lower()}",
            active=1,
            group_order=order,
        )
    for order, subject in enumerate(_ARTICLES, start=1):
        key = world.store.put(
            "knowledge_base",
            articlegroup=1 + order % 2,
            subject=subject,
            description=f"<p>{subject}: step by step.</p>",
            slug=f"article-{order}",
            active=1,
            datecreated=world.days.stamp(-200 + order, dice.office_second()),
            article_order=order,
            staff_article=int(order == len(_ARTICLES)),
        )
        stamp = world.days.stamp(-order, dice.office_second())
        world.store.put(
            "knowedge_base_article_feedback", articleid=key, answer=order % 2, ip=dice.address(), date=stamp
        )
        world.store.put("views_tracking", rel_id=key, rel_type="kb_article", date=stamp, view_ip=dice.address())


def _fill_announcements(world: World, dice: Dice) -> None:
    for name, message in (("Eid hours", "We close early on Thursday. عيد مبارك"), ("New portal", "Have a look 🎉")):
        key = world.store.put(
            "announcements",
            name=name,
            message=f"<p>{message}</p>",
            showtousers=1,
            showtostaff=1,
            showname=1,
            dateadded=world.days.stamp(-40, dice.office_second()),
            userid=world.staff[0].name,
        )
        world.store.put("dismissed_announcements", announcementid=key, staff=1, userid=2)
        world.store.put("dismissed_announcements", announcementid=key, staff=0, userid=1)


def _fill_newsfeed(world: World, dice: Dice) -> None:
    for number in range(3):
        stamp = world.days.stamp(-number * 5 - 1, dice.office_second())
        post = world.store.put(
            "newsfeed_posts",
            creator=1 + number,
            datecreated=stamp,
            visibility="all" if number else "1:2",
            content="Welcome aboard! أهلاً وسهلاً",
            pinned=int(number == 0),
            datepinned=stamp if number == 0 else None,
        )
        comment = world.store.put(
            "newsfeed_post_comments", content="Thank you 🙏", userid=3, postid=post, dateadded=stamp
        )
        world.store.put("newsfeed_post_likes", postid=post, userid=2, dateliked=stamp)
        world.store.put("newsfeed_comment_likes", postid=post, commentid=comment, userid=1, dateliked=stamp)


def _fill_calendar(world: World, dice: Dice) -> None:
    for number in range(8):
        start = dice.between(-30, 60)
        world.store.put(
            "events",
            title="Team meeting" if number % 2 else "زيارة عميل",
            description="Bring the figures",
            userid=world.agent(dice).id,
            start=world.days.stamp(start or 1, 36000),
            end=world.days.stamp(start or 1, 39600) if number % 3 else None,
            public=number % 2,
            color="#28b8da",
            reminder_before=30,
            reminder_before_type="minutes",
        )
    for order, description in enumerate(_TODOS, start=1):
        is_done = order % 2 == 0
        world.store.put(
            "todos",
            description=description,
            staffid=world.agent(dice).id,
            dateadded=world.days.stamp(-order * 3, dice.office_second()),
            finished=int(is_done),
            datefinished=world.days.stamp(-1, 60000) if is_done else None,
            item_order=order,
        )


def _fill_goals(world: World) -> None:
    for goal_type, subject in ((1, "Income this quarter"), (2, "Convert leads"), (5, "Service agreements")):
        world.store.put(
            "goals",
            subject=subject,
            description="Agreed in the strategy meeting",
            start_date=world.days.text(-60),
            end_date=world.days.text(30),
            goal_type=goal_type,
            contract_type=int(goal_type == 5),
            achievement=50,
            staff_id=0 if goal_type == 1 else 2,
        )


def _fill_notifications(world: World, dice: Dice) -> None:
    for number in range(20):
        sender = world.agent(dice)
        contact = next(client.contacts[0] for client in world.clients[number % 5 :] if client.contacts)
        is_from_customer = number % 4 == 3
        world.store.put(
            "notifications",
            isread=number % 2,
            isread_inline=number % 2,
            date=world.days.stamp(-number, dice.office_second()),
            description="not_task_assigned_to_you",
            fromuserid=0 if is_from_customer else sender.id,
            fromclientid=contact.id if is_from_customer else 0,
            from_fullname="" if is_from_customer else sender.name,
            touserid=world.agent(dice).id,
            fromcompany=1 if number == 0 else None,
            link=f"#taskid={world.tasks[number % len(world.tasks)]}",
            additional_data=php_list(["Call back"]),
        )


def _fill_filters(world: World) -> None:
    for staff_id, identifier in ((1, "invoices"), (2, "leads"), (2, "tasks")):
        key = world.store.put(
            "filters",
            name=f"My {identifier}",
            builder='{"match_type":"and","rules":[]}',
            staff_id=staff_id,
            identifier=identifier,
            is_shared=int(staff_id == ADMIN_ID),
        )
        world.store.put("filter_defaults", filter_id=key, staff_id=staff_id, identifier=identifier, view="list")


def _fill_requests(world: World, dice: Dice) -> None:
    """Fill estimate request forms and the answers to them."""
    form = world.store.put(
        "estimate_request_forms",
        form_key=dice.hex32(),
        type="estimate",
        name="Ask for a price",
        form_data='[{"type":"text","subtype":"email","name":"email","label":"E-mail"}]',
        recaptcha=0,
        status=2,
        submit_btn_name="Ask",
        success_submit_msg="Thank you",
        language="english",
        dateadded=world.days.stamp(-300, 36000),
        notify_type="assigned",
        notify_ids="a:0:{}",
        responsible=2,
    )
    for number in range(4):
        key = world.store.put(
            "estimate_requests",
            email=f"asker{number}@mail.example",
            submission='[{"label":"Need","value":"تصميم"}]',
            from_form_id=form,
            assigned=2,
            status=1 + number % 3,
            default_language=0,
            date_added=world.days.stamp(-number * 9 - 1, dice.office_second()),
        )
        world.store.put("taggables", rel_id=key, rel_type="estimate_request", tag_id=1, tag_order=1)
        world.store.put(
            "files",
            rel_id=key,
            rel_type="estimate_request",
            file_name="drawing.pdf",
            filetype="application/pdf",
            attachment_key=dice.hex32(),
            staffid=0,
            dateadded=world.days.stamp(-number * 9 - 1, dice.office_second()),
        )
