-- groups: $0, $1, $2, $3, $4
SELECT t.clientid, count(*) AS count_1
FROM tblinvoices AS t
WHERE t.currency = ? GROUP BY t.clientid
HAVING count(*) >= ? AND sum(t.total) > ? ORDER BY count(*) DESC, t.clientid ASC
 LIMIT ? OFFSET ?

-- count: $0, $1, $2
SELECT count(*) AS count_1 FROM (SELECT t.clientid AS g0 FROM tblinvoices AS t WHERE t.currency = ? GROUP BY t.clientid HAVING count(*) >= ? AND sum(t.total) > ?) AS g
