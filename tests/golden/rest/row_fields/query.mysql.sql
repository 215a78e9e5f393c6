-- rows: $0
SELECT t.id, t.total, t.total - (coalesce((SELECT sum(t_1.amount) AS sum_1
FROM tblinvoicepaymentrecords AS t_1
WHERE t.id = t_1.invoiceid), 0) + coalesce(t_3.total, 0)) AS balance, t.sent, t.datesend, t.clientid, t.deleted_customer_name, t.number, t.prefix, t.number_format, t.formatted_number, t.datecreated, t.date, t.duedate, t.currency, t.subtotal, t.total_tax, t.adjustment, t.addedfrom, t.status, t.clientnote, t.adminnote, t.last_overdue_reminder, t.last_due_reminder, t.cancel_overdue_reminders, t.allowed_payment_modes, t.discount_percent, t.discount_total, t.discount_type, t.recurring, t.recurring_type, t.custom_recurring, t.cycles, t.total_cycles, t.is_recurring_from, t.last_recurring_date, t.terms, t.sale_agent, t.billing_street, t.billing_city, t.billing_state, t.billing_zip, t.billing_country, t.shipping_street, t.shipping_city, t.shipping_state, t.shipping_zip, t.shipping_country, t.include_shipping, t.show_shipping_on_invoice, t.show_quantity_as, t.project_id, t.subscription_id
FROM tblinvoices AS t LEFT OUTER JOIN (SELECT t_2.invoice_id AS invoice_id, sum(t_2.amount) AS total
FROM tblcredits AS t_2 GROUP BY t_2.invoice_id) AS t_3 ON t_3.invoice_id = t.id
WHERE t.id = %s
