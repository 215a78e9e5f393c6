-- # invoices_groups
-- groups: '0001-01-01', '%Y-%m', '0001-01-01', '%Y-%m', $0, $1, '0001-01-01', '%Y-%m', $3, $2
SELECT date_format(CASE WHEN (t.date < %s) THEN NULL ELSE t.date END, %s) AS date_format_1, t.currency, count(*) AS count_1, sum(t.total) AS sum_1, t_1.userid
FROM tblinvoices AS t LEFT OUTER JOIN tblclients AS t_1 ON t.clientid = t_1.userid AND t.clientid != 0 GROUP BY t_1.userid, date_format(CASE WHEN (t.date < %s) THEN NULL ELSE t.date END, %s), t.currency
HAVING count(*) >= %s AND sum(t.total) > %s ORDER BY sum(t.total) DESC, date_format(CASE WHEN (t.date < %s) THEN NULL ELSE t.date END, %s) ASC, t_1.userid ASC, t.currency ASC
 LIMIT %s, %s

-- count: '0001-01-01', '%Y-%m', '0001-01-01', '%Y-%m', $0, $1
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM (SELECT t_1.userid AS g0, date_format(CASE WHEN (t.date < %s) THEN NULL ELSE t.date END, %s) AS g1, t.currency AS g2 FROM tblinvoices AS t LEFT OUTER JOIN tblclients AS t_1 ON t.clientid = t_1.userid AND t.clientid != 0 GROUP BY t_1.userid, date_format(CASE WHEN (t.date < %s) THEN NULL ELSE t.date END, %s), t.currency HAVING count(*) >= %s AND sum(t.total) > %s) AS g

-- client of 1 parent: ^0, ^1
SELECT t.company, t.userid
FROM tblclients AS t
WHERE t.userid IN (%s)
 LIMIT %s

-- client of 4 parents: ^0, ^1, ^2, ^3, ^4
SELECT t.company, t.userid
FROM tblclients AS t
WHERE t.userid IN (%s, %s, %s, %s)
 LIMIT %s

-- client.contacts of 1 parent: ^0, ^1
SELECT t.email, t.userid
FROM tblcontacts AS t
WHERE t.userid IN (%s) ORDER BY t.id ASC
 LIMIT %s

-- client.contacts of 4 parents: ^0, ^1, ^2, ^3, $4, ^4
SELECT c.email, w.r0
FROM tblcontacts AS c INNER JOIN (SELECT t.id AS k0, t.userid AS r0, row_number() OVER (PARTITION BY t.userid ORDER BY t.id ASC) AS n
FROM tblcontacts AS t
WHERE t.userid IN (%s, %s, %s, %s)) AS w ON c.id = w.k0
WHERE w.n <= %s ORDER BY w.n
 LIMIT %s
