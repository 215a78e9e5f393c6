-- groups: '%Y-%m', $0, '%Y-%m', '%Y-%m', $1, $2
SELECT strftime(?, t.date) COLLATE gateway_ci AS anon_1, count(*) AS count_1, sum(t.amount) AS sum_1
FROM tblinvoicepaymentrecords AS t LEFT OUTER JOIN tblinvoices AS t_1 ON t.invoiceid = t_1.id
WHERE t_1.currency = ? GROUP BY strftime(?, t.date) COLLATE gateway_ci ORDER BY strftime(?, t.date) COLLATE gateway_ci DESC
 LIMIT ? OFFSET ?

-- count: '%Y-%m', $0, '%Y-%m'
SELECT count(*) AS count_1 FROM (SELECT strftime(?, t.date) COLLATE gateway_ci AS g0 FROM tblinvoicepaymentrecords AS t LEFT OUTER JOIN tblinvoices AS t_1 ON t.invoiceid = t_1.id WHERE t_1.currency = ? GROUP BY strftime(?, t.date) COLLATE gateway_ci) AS g
