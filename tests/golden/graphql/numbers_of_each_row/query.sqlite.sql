-- # clients
-- rows: $0, $1
SELECT t.userid
FROM tblclients AS t ORDER BY t.userid ASC
 LIMIT ? OFFSET ?

-- count
SELECT count(*) AS count_1 FROM tblclients AS t

-- invoices@numbers of 1 parent: ^0, $2
SELECT count(*) AS count_1, sum(t.total) AS sum_1, t.clientid, count(DISTINCT t.currency) AS count_2
FROM tblinvoices AS t
WHERE t.clientid IN (?) AND t.clientid != 0 AND t.status = ? GROUP BY t.clientid

-- invoices@numbers of 4 parents: ^0, ^1, ^2, ^3, $2
SELECT count(*) AS count_1, sum(t.total) AS sum_1, t.clientid, count(DISTINCT t.currency) AS count_2
FROM tblinvoices AS t
WHERE t.clientid IN (?, ?, ?, ?) AND t.clientid != 0 AND t.status = ? GROUP BY t.clientid
