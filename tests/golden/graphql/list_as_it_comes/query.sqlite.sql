-- # clients
-- rows: $0, $1
SELECT t.userid, t.company
FROM tblclients AS t ORDER BY t.company COLLATE gateway_ci ASC, t.userid ASC
 LIMIT ? OFFSET ?

-- count
SELECT count(*) AS count_1 FROM tblclients AS t

-- invoices of 1 parent: ^0, ^1, 0
SELECT t.id, t.total, t.clientid
FROM tblinvoices AS t
WHERE t.clientid IN (?) AND t.clientid != 0 ORDER BY t.id ASC
 LIMIT ? OFFSET ?

-- invoices of 4 parents: ^0, ^1, ^2, ^3, $2, ^4, 0
SELECT c.id, c.total, w.r0
FROM tblinvoices AS c JOIN (SELECT t.id AS k0, t.clientid AS r0, row_number() OVER (PARTITION BY t.clientid ORDER BY t.id ASC) AS n
FROM tblinvoices AS t
WHERE t.clientid IN (?, ?, ?, ?) AND t.clientid != 0) AS w ON c.id = w.k0
WHERE w.n <= ? ORDER BY w.n
 LIMIT ? OFFSET ?
