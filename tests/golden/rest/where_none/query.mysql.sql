-- rows: $0, $2, $1
SELECT t.id
FROM tblinvoices AS t
WHERE NOT (EXISTS (SELECT 1
FROM tblinvoicepaymentrecords AS t_1
WHERE t.id = t_1.invoiceid AND true = 1)) AND t.status = %s ORDER BY t.id ASC
 LIMIT %s, %s

-- count: $0
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM tblinvoices AS t WHERE NOT (EXISTS (SELECT 1 FROM tblinvoicepaymentrecords AS t_1 WHERE t.id = t_1.invoiceid AND true = 1)) AND t.status = %s
