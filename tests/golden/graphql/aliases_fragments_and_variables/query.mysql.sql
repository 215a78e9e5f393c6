-- # open
-- rows: 1, 'Unpaid', 2, 'Paid', 3, 'Partially paid', 4, 'Overdue', 5, 'Cancelled', 6, 'Draft', $0, $1, $3, $2
SELECT t.total, t.status, CASE WHEN (t.status = %s) THEN %s WHEN (t.status = %s) THEN %s WHEN (t.status = %s) THEN %s WHEN (t.status = %s) THEN %s WHEN (t.status = %s) THEN %s WHEN (t.status = %s) THEN %s ELSE NULL END AS status_label, t.id, CASE WHEN (t.clientid != 0) THEN t.clientid ELSE NULL END AS anon_1
FROM tblinvoices AS t
WHERE t.status = %s AND t.date >= %s ORDER BY t.total DESC, t.id ASC
 LIMIT %s, %s

-- count: $0, $1
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM tblinvoices AS t WHERE t.status = %s AND t.date >= %s

-- client of 1 parent: ^0, ^1
SELECT t.company, t.country, t.userid
FROM tblclients AS t
WHERE t.userid IN (%s)
 LIMIT %s

-- client of 4 parents: ^0, ^1, ^2, ^3, ^4
SELECT t.company, t.country, t.userid
FROM tblclients AS t
WHERE t.userid IN (%s, %s, %s, %s)
 LIMIT %s
