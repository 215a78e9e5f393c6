-- rows: $0
SELECT t.userid, t.company
FROM tblclients AS t
WHERE t.userid = %s

-- contracts of 1 parent: ^0, ^1
SELECT t.subject, t.client
FROM tblcontracts AS t
WHERE t.client IN (%s) ORDER BY t.id ASC
 LIMIT %s

-- contracts of 4 parents: ^0, ^1, ^2, ^3, ^4
SELECT t.subject, t.client
FROM tblcontracts AS t
WHERE t.client IN (%s, %s, %s, %s) ORDER BY t.client, t.id ASC
 LIMIT %s

-- contracts where there are many: ^0, ^1, ^2, ^3, $1, ^4
SELECT w.c0, w.c1
FROM (SELECT t.subject AS c0, t.client AS c1, row_number() OVER (PARTITION BY t.client ORDER BY t.id ASC) AS n
FROM tblcontracts AS t
WHERE t.client IN (%s, %s, %s, %s)) AS w
WHERE w.n <= %s ORDER BY w.n
 LIMIT %s

-- contacts of 1 parent: ^0, ^1
SELECT t.email, t.userid
FROM tblcontacts AS t
WHERE t.userid IN (%s) ORDER BY t.id ASC
 LIMIT %s

-- contacts of 4 parents: ^0, ^1, ^2, ^3, ^4
SELECT t.email, t.userid
FROM tblcontacts AS t
WHERE t.userid IN (%s, %s, %s, %s) ORDER BY t.userid, t.id ASC
 LIMIT %s

-- contacts where there are many: ^0, ^1, ^2, ^3, $2, ^4
SELECT w.c0, w.c1
FROM (SELECT t.email AS c0, t.userid AS c1, row_number() OVER (PARTITION BY t.userid ORDER BY t.id ASC) AS n
FROM tblcontacts AS t
WHERE t.userid IN (%s, %s, %s, %s)) AS w
WHERE w.n <= %s ORDER BY w.n
 LIMIT %s
