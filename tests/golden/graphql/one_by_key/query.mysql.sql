-- # invoices_by_key
-- rows: $0
SELECT t.id, t.total, t.sent, t.datesend, t.clientid, t.deleted_customer_name, t.number, t.prefix, t.number_format, t.formatted_number, t.datecreated, t.date, t.duedate, t.currency, t.subtotal, t.total_tax, t.adjustment, t.addedfrom, t.status, t.clientnote, t.adminnote, t.last_overdue_reminder, t.last_due_reminder, t.cancel_overdue_reminders, t.allowed_payment_modes, t.discount_percent, t.discount_total, t.discount_type, t.recurring, t.recurring_type, t.custom_recurring, t.cycles, t.total_cycles, t.is_recurring_from, t.last_recurring_date, t.terms, t.sale_agent, t.billing_street, t.billing_city, t.billing_state, t.billing_zip, t.billing_country, t.shipping_street, t.shipping_city, t.shipping_state, t.shipping_zip, t.shipping_country, t.include_shipping, t.show_shipping_on_invoice, t.show_quantity_as, t.project_id, t.subscription_id
FROM tblinvoices AS t
WHERE t.id = %s

-- items of 1 parent: ^0, 'invoice', ^1
SELECT t.description, t.qty, t.rate, t.rel_id
FROM tblitemable AS t
WHERE t.rel_id IN (%s) AND t.rel_type = %s ORDER BY t.item_order ASC, t.id ASC
 LIMIT %s

-- items of 4 parents: ^0, ^1, ^2, ^3, 'invoice', $1, ^4
SELECT c.description, c.qty, c.rate, w.r0
FROM tblitemable AS c INNER JOIN (SELECT t.id AS k0, t.rel_id AS r0, row_number() OVER (PARTITION BY t.rel_id ORDER BY t.item_order ASC, t.id ASC) AS n
FROM tblitemable AS t
WHERE t.rel_id IN (%s, %s, %s, %s) AND t.rel_type = %s) AS w ON c.id = w.k0
WHERE w.n <= %s ORDER BY w.n
 LIMIT %s
