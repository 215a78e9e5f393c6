-- rows: 1, 'Unpaid', 2, 'Paid', 3, 'Partially paid', 4, 'Overdue', 5, 'Cancelled', 6, 'Draft', '', 'No discount', 'before_tax', 'Before tax', 'after_tax', 'After tax', $1, $0
SELECT t.id, t.status, CASE WHEN (t.status = %s) THEN %s WHEN (t.status = %s) THEN %s WHEN (t.status = %s) THEN %s WHEN (t.status = %s) THEN %s WHEN (t.status = %s) THEN %s WHEN (t.status = %s) THEN %s ELSE NULL END AS status_label, t.discount_type, CASE WHEN (t.discount_type = %s) THEN %s WHEN (t.discount_type = %s) THEN %s WHEN (t.discount_type = %s) THEN %s ELSE NULL END AS discount_type_label
FROM tblinvoices AS t ORDER BY t.id ASC
 LIMIT %s, %s

-- count
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM tblinvoices AS t
