-- groups: $0, $2, $1
SELECT sum(t.amount) AS sum_1, t_2.userid
FROM tblinvoicepaymentrecords AS t LEFT OUTER JOIN tblinvoices AS t_1 ON t.invoiceid = t_1.id LEFT OUTER JOIN tblclients AS t_2 ON t_1.clientid = t_2.userid AND t_1.clientid != 0
WHERE t_1.currency = %s GROUP BY t_2.userid ORDER BY sum(t.amount) DESC, t_2.userid ASC
 LIMIT %s, %s

-- count: $0
SET STATEMENT max_statement_time=0.250 FOR SELECT count(*) AS count_1 FROM (SELECT t_2.userid AS g0 FROM tblinvoicepaymentrecords AS t LEFT OUTER JOIN tblinvoices AS t_1 ON t.invoiceid = t_1.id LEFT OUTER JOIN tblclients AS t_2 ON t_1.clientid = t_2.userid AND t_1.clientid != 0 WHERE t_1.currency = %s GROUP BY t_2.userid) AS g

-- invoice.client of 1 parent: ^0, ^1
SELECT t.company, t.userid
FROM tblclients AS t
WHERE t.userid IN (%s)
 LIMIT %s

-- invoice.client of 4 parents: ^0, ^1, ^2, ^3, ^4
SELECT t.company, t.userid
FROM tblclients AS t
WHERE t.userid IN (%s, %s, %s, %s)
 LIMIT %s

-- invoice.client.projects of 1 parent: ^0, ^1
SELECT t.name, t.status, t.clientid
FROM tblprojects AS t
WHERE t.clientid IN (%s) ORDER BY t.id ASC
 LIMIT %s

-- invoice.client.projects of 4 parents: ^0, ^1, ^2, ^3, $3, ^4
SELECT c.name, c.status, w.r0
FROM tblprojects AS c INNER JOIN (SELECT t.id AS k0, t.clientid AS r0, row_number() OVER (PARTITION BY t.clientid ORDER BY t.id ASC) AS n
FROM tblprojects AS t
WHERE t.clientid IN (%s, %s, %s, %s)) AS w ON c.id = w.k0
WHERE w.n <= %s ORDER BY w.n
 LIMIT %s
