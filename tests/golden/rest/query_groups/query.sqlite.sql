-- groups: '%Y', '%Y', $0, '%Y', $1, $2
SELECT strftime(?, t.date) COLLATE gateway_ci AS anon_1, count(*) AS count_1
FROM tblinvoicepaymentrecords AS t GROUP BY strftime(?, t.date) COLLATE gateway_ci
HAVING count(*) > ? ORDER BY strftime(?, t.date) COLLATE gateway_ci ASC
 LIMIT ? OFFSET ?

-- count: '%Y', '%Y', $0
SELECT count(*) AS count_1 FROM (SELECT strftime(?, t.date) COLLATE gateway_ci AS g0 FROM tblinvoicepaymentrecords AS t GROUP BY strftime(?, t.date) COLLATE gateway_ci HAVING count(*) > ?) AS g
