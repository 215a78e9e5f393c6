-- groups: $0, $1
SELECT count(*) AS count_1, sum(t.total) AS sum_1, t_1.staffid, t_2.id
FROM tblinvoices AS t LEFT OUTER JOIN tblstaff AS t_1 ON t.sale_agent = t_1.staffid AND t.sale_agent != 0 LEFT OUTER JOIN tblcurrencies AS t_2 ON t.currency = t_2.id GROUP BY t_1.staffid, t_2.id ORDER BY t_1.staffid ASC, t_2.id ASC
 LIMIT ? OFFSET ?

-- count
SELECT count(*) AS count_1 FROM (SELECT t_1.staffid AS g0, t_2.id AS g1 FROM tblinvoices AS t LEFT OUTER JOIN tblstaff AS t_1 ON t.sale_agent = t_1.staffid AND t.sale_agent != 0 LEFT OUTER JOIN tblcurrencies AS t_2 ON t.currency = t_2.id GROUP BY t_1.staffid, t_2.id) AS g

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

-- currency_ref of 1 parent: ^0, ^1, 0
SELECT t.name, t.id
FROM tblcurrencies AS t
WHERE t.id IN (?)
 LIMIT ? OFFSET ?

-- currency_ref of 4 parents: ^0, ^1, ^2, ^3, ^4, 0
SELECT t.name, t.id
FROM tblcurrencies AS t
WHERE t.id IN (?, ?, ?, ?)
 LIMIT ? OFFSET ?
