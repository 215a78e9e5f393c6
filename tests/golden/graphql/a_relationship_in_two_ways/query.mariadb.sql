-- # clients
-- rows: $1, $0
SELECT t.userid
FROM tblclients AS t ORDER BY t.userid ASC
 LIMIT %s, %s

-- count
SET STATEMENT max_statement_time=0.250 FOR SELECT count(*) AS count_1 FROM tblclients AS t

-- invoices of 1 parent: ^0, ^1
SELECT t.id, t.total, t.clientid
FROM tblinvoices AS t
WHERE t.clientid IN (%s) AND t.clientid != 0 ORDER BY t.id ASC
 LIMIT %s

-- invoices of 4 parents: ^0, ^1, ^2, ^3, $2, ^4
SELECT c.id, c.total, w.r0
FROM tblinvoices AS c INNER JOIN (SELECT t.id AS k0, t.clientid AS r0, row_number() OVER (PARTITION BY t.clientid ORDER BY t.id ASC) AS n
FROM tblinvoices AS t
WHERE t.clientid IN (%s, %s, %s, %s) AND t.clientid != 0) AS w ON c.id = w.k0
WHERE w.n <= %s ORDER BY w.n
 LIMIT %s

-- invoices@2 of 1 parent: ^0, $3, ^1
SELECT t.id, t.date, t.clientid
FROM tblinvoices AS t
WHERE t.clientid IN (%s) AND t.clientid != 0 AND t.status = %s ORDER BY t.id ASC
 LIMIT %s

-- invoices@2 of 4 parents: ^0, ^1, ^2, ^3, $3, $4, ^4
SELECT c.id, c.date, w.r0
FROM tblinvoices AS c INNER JOIN (SELECT t.id AS k0, t.clientid AS r0, row_number() OVER (PARTITION BY t.clientid ORDER BY t.id ASC) AS n
FROM tblinvoices AS t
WHERE t.clientid IN (%s, %s, %s, %s) AND t.clientid != 0 AND t.status = %s) AS w ON c.id = w.k0
WHERE w.n <= %s ORDER BY w.n
 LIMIT %s
