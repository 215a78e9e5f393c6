-- rows: $0, $1, $3, $2
SELECT t.id
FROM tblinvoices AS t
WHERE EXISTS (SELECT 1
FROM tblinvoicepaymentrecords AS t_1
WHERE t.id = t_1.invoiceid AND t_1.amount > %s AND t_1.date >= %s) ORDER BY t.id ASC
 LIMIT %s, %s

-- count: $0, $1
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM tblinvoices AS t WHERE EXISTS (SELECT 1 FROM tblinvoicepaymentrecords AS t_1 WHERE t.id = t_1.invoiceid AND t_1.amount > %s AND t_1.date >= %s)
