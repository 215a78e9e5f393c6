-- # invoices_by_key
-- rows: $0
SELECT t.id, t.sent, t.datesend, t.clientid, t.deleted_customer_name, t.number, t.prefix, t.number_format, t.formatted_number, t.datecreated, t.date, t.duedate, t.currency, t.subtotal, t.total_tax, t.total, t.adjustment, t.addedfrom, t.status, t.clientnote, t.adminnote, t.last_overdue_reminder, t.last_due_reminder, t.cancel_overdue_reminders, t.allowed_payment_modes, t.discount_percent, t.discount_total, t.discount_type, t.recurring, t.recurring_type, t.custom_recurring, t.cycles, t.total_cycles, t.is_recurring_from, t.last_recurring_date, t.terms, t.sale_agent, t.billing_street, t.billing_city, t.billing_state, t.billing_zip, t.billing_country, t.shipping_street, t.shipping_city, t.shipping_state, t.shipping_zip, t.shipping_country, t.include_shipping, t.show_shipping_on_invoice, t.show_quantity_as, t.project_id, t.subscription_id
FROM tblinvoices AS t
WHERE t.id = %s
-- # clients
-- rows: $1, $0
SELECT t.userid
FROM tblclients AS t ORDER BY t.userid ASC
 LIMIT %s, %s

-- count
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM tblclients AS t
