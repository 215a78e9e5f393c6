-- # open
-- rows: 1, 'Unpaid', 2, 'Paid', 3, 'Partially paid', 4, 'Overdue', 5, 'Cancelled', 6, 'Draft', $0, $1, $2, $3
SELECT t.total, t.status, CASE WHEN (t.status = ?) THEN ? WHEN (t.status = ?) THEN ? WHEN (t.status = ?) THEN ? WHEN (t.status = ?) THEN ? WHEN (t.status = ?) THEN ? WHEN (t.status = ?) THEN ? ELSE NULL END AS status_label, t.id, CASE WHEN (t.clientid != 0) THEN t.clientid ELSE NULL END AS anon_1
FROM tblinvoices AS t
WHERE t.status = ? AND t.date >= ? ORDER BY t.total DESC, t.id ASC
 LIMIT ? OFFSET ?

-- count: $0, $1
SELECT count(*) AS count_1 FROM tblinvoices AS t WHERE t.status = ? AND t.date >= ?

-- client of 1 parent: ^0, ^1, 0
SELECT t.company, t.country, t.userid
FROM tblclients AS t
WHERE t.userid IN (?)
 LIMIT ? OFFSET ?

-- client of 4 parents: ^0, ^1, ^2, ^3, ^4, 0
SELECT t.company, t.country, t.userid
FROM tblclients AS t
WHERE t.userid IN (?, ?, ?, ?)
 LIMIT ? OFFSET ?
