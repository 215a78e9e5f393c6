-- groups: '0001-01-01', '%Y-%m', $0, '0001-01-01', '%Y-%m', '0001-01-01', '%Y-%m', $2, $1
SELECT date_format(CASE WHEN (t.date < %s) THEN NULL ELSE t.date END, %s) AS date_format_1, count(*) AS count_1, sum(t.amount) AS sum_1
FROM tblinvoicepaymentrecords AS t LEFT OUTER JOIN tblinvoices AS t_1 ON t.invoiceid = t_1.id
WHERE t_1.currency = %s GROUP BY date_format(CASE WHEN (t.date < %s) THEN NULL ELSE t.date END, %s) ORDER BY date_format(CASE WHEN (t.date < %s) THEN NULL ELSE t.date END, %s) DESC
 LIMIT %s, %s

-- count: '0001-01-01', '%Y-%m', $0, '0001-01-01', '%Y-%m'
SET STATEMENT max_statement_time=0.250 FOR SELECT count(*) AS count_1 FROM (SELECT date_format(CASE WHEN (t.date < %s) THEN NULL ELSE t.date END, %s) AS g0 FROM tblinvoicepaymentrecords AS t LEFT OUTER JOIN tblinvoices AS t_1 ON t.invoiceid = t_1.id WHERE t_1.currency = %s GROUP BY date_format(CASE WHEN (t.date < %s) THEN NULL ELSE t.date END, %s)) AS g
