-- rows: $0
SELECT t.userid, t.company
FROM tblclients AS t
WHERE t.userid = ?

-- contracts of 1 parent: ^0, ^1, 0
SELECT t.subject, t.client
FROM tblcontracts AS t
WHERE t.client IN (?) ORDER BY t.id ASC
 LIMIT ? OFFSET ?

-- contracts of 4 parents: ^0, ^1, ^2, ^3, ^4, 0
SELECT t.subject, t.client
FROM tblcontracts AS t
WHERE t.client IN (?, ?, ?, ?) ORDER BY t.client, t.id ASC
 LIMIT ? OFFSET ?

-- contracts where there are many: ^0, ^1, ^2, ^3, $1, ^4, 0
SELECT w.c0, w.c1
FROM (SELECT t.subject AS c0, t.client AS c1, row_number() OVER (PARTITION BY t.client ORDER BY t.id ASC) AS n
FROM tblcontracts AS t
WHERE t.client IN (?, ?, ?, ?)) AS w
WHERE w.n <= ? ORDER BY w.n
 LIMIT ? OFFSET ?

-- contacts of 1 parent: ^0, ^1, 0
SELECT t.email, t.userid
FROM tblcontacts AS t
WHERE t.userid IN (?) ORDER BY t.id ASC
 LIMIT ? OFFSET ?

-- contacts of 4 parents: ^0, ^1, ^2, ^3, ^4, 0
SELECT t.email, t.userid
FROM tblcontacts AS t
WHERE t.userid IN (?, ?, ?, ?) ORDER BY t.userid, t.id ASC
 LIMIT ? OFFSET ?

-- contacts where there are many: ^0, ^1, ^2, ^3, $2, ^4, 0
SELECT w.c0, w.c1
FROM (SELECT t.email AS c0, t.userid AS c1, row_number() OVER (PARTITION BY t.userid ORDER BY t.id ASC) AS n
FROM tblcontacts AS t
WHERE t.userid IN (?, ?, ?, ?)) AS w
WHERE w.n <= ? ORDER BY w.n
 LIMIT ? OFFSET ?
