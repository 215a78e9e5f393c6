-- rows: $0
SELECT t.id, t.total, t.total - (coalesce((SELECT sum(t_1.amount) AS sum_1
FROM tblinvoicepaymentrecords AS t_1
WHERE t.id = t_1.invoiceid), 0) + coalesce(t_3.total, 0)) AS balance
FROM tblinvoices AS t LEFT OUTER JOIN (SELECT t_2.invoice_id AS invoice_id, sum(t_2.amount) AS total
FROM tblcredits AS t_2 GROUP BY t_2.invoice_id) AS t_3 ON t_3.invoice_id = t.id
WHERE t.id = %s
