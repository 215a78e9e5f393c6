-- rows: $0, $1, $2
SELECT t.id, t.total, round(coalesce((SELECT sum(t_1.amount) AS sum_1
FROM tblinvoicepaymentrecords AS t_1
WHERE t.id = t_1.invoiceid), 0) + coalesce(t_3.total, 0), 2) AS paid, round(t.total - (coalesce((SELECT sum(t_4.amount) AS sum_2
FROM tblinvoicepaymentrecords AS t_4
WHERE t.id = t_4.invoiceid), 0) + coalesce(t_3.total, 0)), 2) AS balance, coalesce(t.status IN (1, 3, 4) AND t.duedate < ? AND t.total - (coalesce((SELECT sum(t_5.amount) AS sum_3
FROM tblinvoicepaymentrecords AS t_5
WHERE t.id = t_5.invoiceid), 0) + coalesce(t_3.total, 0)) > 0, 0) AS is_overdue
FROM tblinvoices AS t LEFT OUTER JOIN (SELECT t_2.invoice_id AS invoice_id, sum(t_2.amount) AS total
FROM tblcredits AS t_2 GROUP BY t_2.invoice_id) AS t_3 ON t_3.invoice_id = t.id ORDER BY t.id ASC
 LIMIT ? OFFSET ?

-- count
SELECT count(*) AS count_1 FROM tblinvoices AS t
