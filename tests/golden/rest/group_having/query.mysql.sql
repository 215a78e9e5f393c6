-- groups: $0, $1, $2, $4, $3
SELECT t.clientid, count(*) AS count_1
FROM tblinvoices AS t
WHERE t.currency = %s GROUP BY t.clientid
HAVING count(*) >= %s AND sum(t.total) > %s ORDER BY count(*) DESC, t.clientid ASC
 LIMIT %s, %s

-- count: $0, $1, $2
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM (SELECT t.clientid AS g0 FROM tblinvoices AS t WHERE t.currency = %s GROUP BY t.clientid HAVING count(*) >= %s AND sum(t.total) > %s) AS g
