-- groups: $0, $1, $2
SELECT sum(t.amount) AS sum_1, t_2.userid
FROM tblinvoicepaymentrecords AS t LEFT OUTER JOIN tblinvoices AS t_1 ON t.invoiceid = t_1.id LEFT OUTER JOIN tblclients AS t_2 ON t_1.clientid = t_2.userid AND t_1.clientid != 0
WHERE t_1.currency = ? GROUP BY t_2.userid ORDER BY sum(t.amount) DESC, t_2.userid ASC
 LIMIT ? OFFSET ?

-- count: $0
SELECT count(*) AS count_1 FROM (SELECT t_2.userid AS g0 FROM tblinvoicepaymentrecords AS t LEFT OUTER JOIN tblinvoices AS t_1 ON t.invoiceid = t_1.id LEFT OUTER JOIN tblclients AS t_2 ON t_1.clientid = t_2.userid AND t_1.clientid != 0 WHERE t_1.currency = ? GROUP BY t_2.userid) AS g

-- invoice.client of 1 parent: ^0, ^1, 0
SELECT t.company, t.userid
FROM tblclients AS t
WHERE t.userid IN (?)
 LIMIT ? OFFSET ?

-- invoice.client of 4 parents: ^0, ^1, ^2, ^3, ^4, 0
SELECT t.company, t.userid
FROM tblclients AS t
WHERE t.userid IN (?, ?, ?, ?)
 LIMIT ? OFFSET ?

-- invoice.client.projects of 1 parent: ^0, ^1, 0
SELECT t.name, t.status, t.clientid
FROM tblprojects AS t
WHERE t.clientid IN (?) ORDER BY t.id ASC
 LIMIT ? OFFSET ?

-- invoice.client.projects of 4 parents: ^0, ^1, ^2, ^3, $3, ^4, 0
SELECT c.name, c.status, w.r0
FROM tblprojects AS c JOIN (SELECT t.id AS k0, t.clientid AS r0, row_number() OVER (PARTITION BY t.clientid ORDER BY t.id ASC) AS n
FROM tblprojects AS t
WHERE t.clientid IN (?, ?, ?, ?)) AS w ON c.id = w.k0
WHERE w.n <= ? ORDER BY w.n
 LIMIT ? OFFSET ?
