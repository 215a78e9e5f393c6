-- # invoices_groups
-- groups: '%Y-%m', '%Y-%m', $0, $1, '%Y-%m', $2, $3
SELECT strftime(?, t.date) COLLATE gateway_ci AS anon_1, t.currency, count(*) AS count_1, sum(t.total) AS sum_1, t_1.userid
FROM tblinvoices AS t LEFT OUTER JOIN tblclients AS t_1 ON t.clientid = t_1.userid AND t.clientid != 0 GROUP BY t_1.userid, strftime(?, t.date) COLLATE gateway_ci, t.currency
HAVING count(*) >= ? AND sum(t.total) > ? ORDER BY sum(t.total) DESC, strftime(?, t.date) COLLATE gateway_ci ASC, t_1.userid ASC, t.currency ASC
 LIMIT ? OFFSET ?

-- count: '%Y-%m', '%Y-%m', $0, $1
SELECT count(*) AS count_1 FROM (SELECT t_1.userid AS g0, strftime(?, t.date) COLLATE gateway_ci AS g1, t.currency AS g2 FROM tblinvoices AS t LEFT OUTER JOIN tblclients AS t_1 ON t.clientid = t_1.userid AND t.clientid != 0 GROUP BY t_1.userid, strftime(?, t.date) COLLATE gateway_ci, t.currency HAVING count(*) >= ? AND sum(t.total) > ?) AS g

-- client of 1 parent: ^0, ^1, 0
SELECT t.company, t.userid
FROM tblclients AS t
WHERE t.userid IN (?)
 LIMIT ? OFFSET ?

-- client of 4 parents: ^0, ^1, ^2, ^3, ^4, 0
SELECT t.company, t.userid
FROM tblclients AS t
WHERE t.userid IN (?, ?, ?, ?)
 LIMIT ? OFFSET ?

-- client.contacts of 1 parent: ^0, ^1, 0
SELECT t.email, t.userid
FROM tblcontacts AS t
WHERE t.userid IN (?) ORDER BY t.id ASC
 LIMIT ? OFFSET ?

-- client.contacts of 4 parents: ^0, ^1, ^2, ^3, $4, ^4, 0
SELECT c.email, w.r0
FROM tblcontacts AS c JOIN (SELECT t.id AS k0, t.userid AS r0, row_number() OVER (PARTITION BY t.userid ORDER BY t.id ASC) AS n
FROM tblcontacts AS t
WHERE t.userid IN (?, ?, ?, ?)) AS w ON c.id = w.k0
WHERE w.n <= ? ORDER BY w.n
 LIMIT ? OFFSET ?
