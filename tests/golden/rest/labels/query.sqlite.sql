-- rows: 1, 'Unpaid', 2, 'Paid', 3, 'Partially paid', 4, 'Overdue', 5, 'Cancelled', 6, 'Draft', '', 'No discount', 'before_tax', 'Before tax', 'after_tax', 'After tax', $0, $1
SELECT t.id, t.status, CASE WHEN (t.status = ?) THEN ? WHEN (t.status = ?) THEN ? WHEN (t.status = ?) THEN ? WHEN (t.status = ?) THEN ? WHEN (t.status = ?) THEN ? WHEN (t.status = ?) THEN ? ELSE NULL END AS status_label, t.discount_type, CASE WHEN (t.discount_type = ?) THEN ? WHEN (t.discount_type = ?) THEN ? WHEN (t.discount_type = ?) THEN ? ELSE NULL END AS discount_type_label
FROM tblinvoices AS t ORDER BY t.id ASC
 LIMIT ? OFFSET ?

-- count
SELECT count(*) AS count_1 FROM tblinvoices AS t
