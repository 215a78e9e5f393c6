-- # invoices
-- rows: $0, $1, $3, $2
SELECT t.id, t.total, t.duedate, CASE WHEN (t.clientid != 0) THEN t.clientid ELSE NULL END AS anon_1
FROM tblinvoices AS t
WHERE t.status = %s AND t.total >= %s ORDER BY t.id ASC
 LIMIT %s, %s

-- count: $0, $1
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM tblinvoices AS t WHERE t.status = %s AND t.total >= %s

-- client of 1 parent: 1, ^0, ^1
SELECT t.company, (SELECT t_1.email
FROM tblcontacts AS t_1
WHERE t.userid = t_1.userid AND t_1.is_primary = %s ORDER BY t_1.id
 LIMIT 1) AS email, t.userid
FROM tblclients AS t
WHERE t.userid IN (%s)
 LIMIT %s

-- client of 4 parents: 1, ^0, ^1, ^2, ^3, ^4
SELECT t.company, (SELECT t_1.email
FROM tblcontacts AS t_1
WHERE t.userid = t_1.userid AND t_1.is_primary = %s ORDER BY t_1.id
 LIMIT 1) AS email, t.userid
FROM tblclients AS t
WHERE t.userid IN (%s, %s, %s, %s)
 LIMIT %s
