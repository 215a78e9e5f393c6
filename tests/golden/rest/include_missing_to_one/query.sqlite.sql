-- rows: $0, $1
SELECT t.id, t.sale_agent, CASE WHEN (t.sale_agent != 0) THEN t.sale_agent ELSE NULL END AS anon_1
FROM tblinvoices AS t ORDER BY t.sale_agent ASC, t.id ASC
 LIMIT ? OFFSET ?

-- count
SELECT count(*) AS count_1 FROM tblinvoices AS t

-- agent of 1 parent: ^0, ^1, 0
SELECT t.firstname, t.staffid
FROM tblstaff AS t
WHERE t.staffid IN (?)
 LIMIT ? OFFSET ?

-- agent of 4 parents: ^0, ^1, ^2, ^3, ^4, 0
SELECT t.firstname, t.staffid
FROM tblstaff AS t
WHERE t.staffid IN (?, ?, ?, ?)
 LIMIT ? OFFSET ?
