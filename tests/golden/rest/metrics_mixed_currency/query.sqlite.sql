-- groups: '%Y', '%Y', '%Y', $0, $1
SELECT strftime(?, t.date) COLLATE gateway_ci AS anon_1, sum(t.total) AS sum_1, count(DISTINCT t.currency) AS count_1
FROM tblinvoices AS t GROUP BY strftime(?, t.date) COLLATE gateway_ci ORDER BY strftime(?, t.date) COLLATE gateway_ci ASC
 LIMIT ? OFFSET ?

-- count: '%Y', '%Y'
SELECT count(*) AS count_1 FROM (SELECT strftime(?, t.date) COLLATE gateway_ci AS g0 FROM tblinvoices AS t GROUP BY strftime(?, t.date) COLLATE gateway_ci) AS g
