"""The surveys module: lists, a survey with its questions, and what came back."""

from sample_crm.dice import Dice
from sample_crm.world import World


def fill_surveys(world: World) -> None:
    """Fill the tables of mail lists and surveys."""
    dice = world.dice("surveys")
    mailing, emails = _fill_list(world, dice)
    survey = world.store.put(
        "surveys",
        subject="How are we doing?",
        slug="how-are-we-doing",
        description="<p>Three minutes of your time</p>",
        viewdescription="<p>Thank you</p>",
        datecreated=world.days.stamp(-60, dice.office_second()),
        redirect_url="https://gulf-studio.example/thanks",
        send=1,
        onlyforloggedin=0,
        fromname="Gulf Studio",
        iprestrict=0,
        active=1,
        hash=dice.hex32(),
    )
    log = world.store.put(
        "surveysendlog",
        surveyid=survey,
        total=len(emails),
        date=world.days.stamp(-59, dice.office_second()),
        iscronfinished=0,
        send_to_mail_lists='a:1:{i:0;s:1:"1";}',
    )
    for key, email in emails[:2]:
        world.store.put(
            "surveysemailsendcron", surveyid=survey, email=email, emailid=key, listid=str(mailing), log_id=log
        )
    _fill_answers(world, dice, survey)


def _fill_list(world: World, dice: Dice) -> tuple[int, list[tuple[int, str]]]:
    mailing = world.store.put(
        "emaillists",
        name="Friends of the house",
        creator=world.staff[0].name,
        datecreated=world.days.stamp(-90, dice.office_second()),
    )
    field = world.store.put("maillistscustomfields", listid=mailing, fieldname="City", fieldslug="city")
    emails = []
    for number in range(6):
        email = f"friend{number}@mail.example"
        stamp = world.days.stamp(-80, dice.office_second())
        key = world.store.put("listemails", listid=mailing, email=email, dateadded=stamp)
        world.store.put("maillistscustomfieldvalues", listid=mailing, customfieldid=field, emailid=key, value="دبي")
        emails.append((key, email))
    return mailing, emails


def _fill_answers(world: World, dice: Dice, survey: int) -> None:
    choice = _ask(world, survey, 1, "Would you recommend us?", "radio")
    text = _ask(world, survey, 2, "What should we do better?", "textarea")
    options = [
        world.store.put("form_question_box_description", description=label, boxid=str(choice[1]), questionid=choice[0])
        for label in ("Yes", "Perhaps", "No")
    ]
    for number in range(4):
        result = world.store.put(
            "surveyresultsets",
            surveyid=survey,
            ip=dice.address(),
            useragent="Mozilla/5.0 (sample)",
            date=world.days.stamp(-50 + number, dice.office_second()),
        )
        answers = ((choice, dice.pick(options), None), (text, None, "Plus de couleurs, بصراحة"))
        for (question, box), option, answer in answers:
            world.store.put(
                "form_results",
                boxid=box,
                boxdescriptionid=option,
                rel_id=survey,
                rel_type="survey",
                questionid=question,
                answer=answer,
                resultsetid=result,
            )


def _ask(world: World, survey: int, order: int, question: str, boxtype: str) -> tuple[int, int]:
    """Add a question and its box; return both keys."""
    key = world.store.put(
        "form_questions", rel_id=survey, rel_type="survey", question=question, required=1, question_order=order
    )
    return key, world.store.put("form_question_box", boxtype=boxtype, questionid=key)
