-- rows: $2, '0001-01-01', $0, $1, $4, $3
SELECT t.id, t.total - (coalesce(t_2.total, 0) + coalesce(t_4.total, 0)) AS balance
FROM tblinvoices AS t LEFT OUTER JOIN (SELECT t_1.invoiceid AS invoiceid, sum(t_1.amount) AS total
FROM tblinvoicepaymentrecords AS t_1 GROUP BY t_1.invoiceid) AS t_2 ON t_2.invoiceid = t.id LEFT OUTER JOIN (SELECT t_3.invoice_id AS invoice_id, sum(t_3.amount) AS total
FROM tblcredits AS t_3 GROUP BY t_3.invoice_id) AS t_4 ON t_4.invoice_id = t.id
WHERE coalesce(t.status IN (1, 3, 4) AND t.duedate < %s AND t.duedate >= %s AND t.total - (coalesce(t_2.total, 0) + coalesce(t_4.total, 0)) > 0, 0) = %s AND t.total - (coalesce(t_2.total, 0) + coalesce(t_4.total, 0)) > %s ORDER BY t.total - (coalesce(t_2.total, 0) + coalesce(t_4.total, 0)) DESC, t.id ASC
 LIMIT %s, %s

-- count: $2, '0001-01-01', $0, $1
SET STATEMENT max_statement_time=0.250 FOR SELECT count(*) AS count_1 FROM tblinvoices AS t LEFT OUTER JOIN (SELECT t_1.invoiceid AS invoiceid, sum(t_1.amount) AS total FROM tblinvoicepaymentrecords AS t_1 GROUP BY t_1.invoiceid) AS t_2 ON t_2.invoiceid = t.id LEFT OUTER JOIN (SELECT t_3.invoice_id AS invoice_id, sum(t_3.amount) AS total FROM tblcredits AS t_3 GROUP BY t_3.invoice_id) AS t_4 ON t_4.invoice_id = t.id WHERE coalesce(t.status IN (1, 3, 4) AND t.duedate < %s AND t.duedate >= %s AND t.total - (coalesce(t_2.total, 0) + coalesce(t_4.total, 0)) > 0, 0) = %s AND t.total - (coalesce(t_2.total, 0) + coalesce(t_4.total, 0)) > %s
