-- rows: $1, $0
SELECT t.userid
FROM tblclients AS t ORDER BY t.userid ASC
 LIMIT %s, %s

-- count
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM tblclients AS t

-- invoices of 1 parent: ^0, ^1
SELECT t.id, t.clientid
FROM tblinvoices AS t
WHERE t.clientid IN (%s) AND t.clientid != 0 ORDER BY t.id ASC
 LIMIT %s

-- invoices of 4 parents: ^0, ^1, ^2, ^3, ^4
SELECT t.id, t.clientid
FROM tblinvoices AS t
WHERE t.clientid IN (%s, %s, %s, %s) AND t.clientid != 0 ORDER BY t.clientid, t.id ASC
 LIMIT %s

-- invoices where there are many: ^0, ^1, ^2, ^3, $2, ^4
SELECT w.c0, w.c1
FROM (SELECT t.id AS c0, t.clientid AS c1, row_number() OVER (PARTITION BY t.clientid ORDER BY t.id ASC) AS n
FROM tblinvoices AS t
WHERE t.clientid IN (%s, %s, %s, %s) AND t.clientid != 0) AS w
WHERE w.n <= %s ORDER BY w.n
 LIMIT %s
