-- # invoices
-- rows: $0, $1, $2, $3
SELECT t.id, t.total, t.duedate, CASE WHEN (t.clientid != 0) THEN t.clientid ELSE NULL END AS anon_1
FROM tblinvoices AS t
WHERE t.status = ? AND t.total >= ? ORDER BY t.id ASC
 LIMIT ? OFFSET ?

-- count: $0, $1
SELECT count(*) AS count_1 FROM tblinvoices AS t WHERE t.status = ? AND t.total >= ?

-- client of 1 parent: 1, 0, ^0, ^1, 0
SELECT t.company, (SELECT t_1.email
FROM tblcontacts AS t_1
WHERE t.userid = t_1.userid AND t_1.is_primary = ? ORDER BY t_1.id
 LIMIT 1 OFFSET ?) AS email, t.userid
FROM tblclients AS t
WHERE t.userid IN (?)
 LIMIT ? OFFSET ?

-- client of 4 parents: 1, 0, ^0, ^1, ^2, ^3, ^4, 0
SELECT t.company, (SELECT t_1.email
FROM tblcontacts AS t_1
WHERE t.userid = t_1.userid AND t_1.is_primary = ? ORDER BY t_1.id
 LIMIT 1 OFFSET ?) AS email, t.userid
FROM tblclients AS t
WHERE t.userid IN (?, ?, ?, ?)
 LIMIT ? OFFSET ?
