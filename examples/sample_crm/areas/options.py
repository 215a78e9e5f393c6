"""The CRM's settings: what its rules read, and every secret setting with a made-up value."""

from sample_crm.areas import credit_notes, estimates, invoices
from sample_crm.areas.documents import PADDING
from sample_crm.days import CRM_ZONE_NAME
from sample_crm.world import World

_SETTINGS: dict[str, str] = {
    "companyname": "Gulf Studio",
    "invoice_company_name": "Gulf Studio FZ-LLC",
    "invoice_company_address": "12 Harbour View",
    "invoice_company_city": "Dubai",
    "invoice_company_country_code": "AE",
    "invoice_company_postal_code": "00000",
    "invoice_company_phonenumber": "+971 4 5550100",
    "company_vat": "AE100200300",
    "default_timezone": CRM_ZONE_NAME,
    "dateformat": "Y-m-d|%Y-%m-%d",
    "time_format": "24",
    "active_language": "english",
    "decimal_separator": ".",
    "thousand_separator": ",",
    "company_is_required": "0",
    "default_contact_permissions": 'a:6:{i:0;s:1:"1";i:1;s:1:"2";i:2;s:1:"3";i:3;s:1:"4";i:4;s:1:"5";i:5;s:1:"6";}',
    "customer_default_country": "234",
    "default_tax": "a:0:{}",
    "leads_default_status": "2",
    "leads_default_source": "3",
    "lead_unique_validation": '["email"]',
    "auto_assign_customer_admin_after_lead_convert": "1",
    "invoice_due_after": "30",
    "invoice_number_format": "1",
    "invoice_prefix": invoices.PREFIX,
    "invoice_number_decrement_on_delete": "0",
    "number_padding_prefixes": str(PADDING),
    "predefined_terms_invoice": "Payment within the stated time.",
    "predefined_clientnote_invoice": "Thank you for your business",
    "show_sale_agent_on_invoices": "1",
    "delete_only_on_last_invoice": "0",
    "delete_only_on_last_estimate": "0",
    "delete_only_on_last_credit_note": "0",
    "estimate_due_after": "30",
    "estimate_number_format": "1",
    "estimate_prefix": estimates.PREFIX,
    "estimate_number_decrement_on_delete": "0",
    "estimate_auto_convert_to_invoice_on_client_accept": "1",
    "predefined_terms_estimate": "Prices without travel.",
    "predefined_clientnote_estimate": "Valid for 30 days",
    "credit_note_prefix": credit_notes.PREFIX,
    "credit_note_number_format": "1",
    "credit_note_number_decrement_on_delete": "0",
    "predefined_terms_credit_note": "",
    "predefined_clientnote_credit_note": "",
    "proposal_number_prefix": "PRO-",
    "proposal_due_after": "21",
    "proposal_auto_convert_to_invoice_on_client_accept": "0",
    "proposal_auto_convert_leads_to_client_on_client_accept": "0",
    "default_task_status": "auto",
    "default_task_priority": "2",
    "show_all_tasks_for_project_member": "1",
    "staff_access_only_assigned_departments": "1",
    "default_ticket_reply_status": "3",
    "automatically_assign_ticket_to_first_staff_responding": "0",
    "autoclose_tickets_after": "0",
    "ticket_attachments_file_extensions": ".jpg,.jpeg,.png,.pdf,.doc,.zip",
    "maximum_allowed_ticket_attachments": "4",
    "allowed_files": ".png,.jpg,.jpeg,.pdf,.doc,.docx,.xls,.xlsx,.zip,.rar,.txt,.csv",
    "paymentmethod_stripe_active": "1",
    "paymentmethod_paypal_active": "1",
    "paymentmethod_mollie_active": "1",
}

_SECRET_NAMES = """
smtp_password smtp_username smtp_email smtp_host microsoft_mail_client_id microsoft_mail_client_secret
microsoft_mail_azure_tenant_id microsoft_mail_refresh_token google_mail_client_id google_mail_client_secret
google_mail_refresh_token google_api_key google_client_id google_calendar_api_key dropbox_app_key
bitly_access_token recaptcha_secret_key recaptcha_site_key pusher_app_secret pusher_app_key pusher_app_id
purchase_key identification_key di stripe_webhook_signing_secret stripe_webhook_id
stripe_ideal_webhook_signing_secret stripe_ideal_webhook_id openai_api_key openai_fine_tuning_last_job_id
openai_last_fine_tuning_file_id paymentmethod_authorize_acceptjs_api_transaction_key
paymentmethod_authorize_acceptjs_api_login_id paymentmethod_instamojo_api_key
paymentmethod_instamojo_auth_token paymentmethod_mollie_api_key paymentmethod_paypal_braintree_api_private_key
paymentmethod_paypal_braintree_api_public_key paymentmethod_paypal_braintree_merchant_id
paymentmethod_paypal_checkout_secret paymentmethod_paypal_checkout_client_id paymentmethod_paypal_username
paymentmethod_paypal_password paymentmethod_paypal_signature paymentmethod_payu_money_key
paymentmethod_payu_money_salt paymentmethod_stripe_api_secret_key paymentmethod_stripe_api_publishable_key
paymentmethod_stripe_ideal_api_secret_key paymentmethod_stripe_ideal_api_publishable_key
paymentmethod_two_checkout_merchant_code paymentmethod_two_checkout_secret_key sms_twilio_auth_token
sms_twilio_account_sid sms_clickatell_api_key sms_msg91_auth_key custom_js_admin_scripts
custom_js_customer_scripts
"""


def fill_options(world: World) -> None:
    """Fill the options; the three counters continue the numbers that were used."""
    dice = world.dice("options")
    counters = {name: str(value) for name, value in world.counters.items()}
    secrets = {name: f"fake-{name.replace('_', '-')}-{dice.hex32()}" for name in _SECRET_NAMES.split()}
    for name, value in (_SETTINGS | counters | secrets).items():
        world.store.put("options", name=name, value=value, autoload=int(name not in secrets))


def fill_default_options(world: World) -> None:
    """Fill the options of an installation without records: all counters at 1, no secrets."""
    counters = ("next_invoice_number", "next_estimate_number", "next_credit_note_number")
    for name, value in (_SETTINGS | dict.fromkeys(counters, "1")).items():
        world.store.put("options", name=name, value=value, autoload=1)
