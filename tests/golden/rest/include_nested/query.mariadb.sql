-- rows: $1, $0
SELECT t.id, CASE WHEN (t.clientid != 0) THEN t.clientid ELSE NULL END AS anon_1
FROM tblinvoices AS t ORDER BY t.id ASC
 LIMIT %s, %s

-- count
SET STATEMENT max_statement_time=0.250 FOR SELECT count(*) AS count_1 FROM tblinvoices AS t

-- client of 1 parent: ^0, ^1
SELECT t.company, t.userid
FROM tblclients AS t
WHERE t.userid IN (%s) ORDER BY t.userid ASC
 LIMIT %s

-- client of 4 parents: ^0, ^1, ^2, ^3, ^4
SELECT t.company, t.userid
FROM tblclients AS t
WHERE t.userid IN (%s, %s, %s, %s) ORDER BY t.userid, t.userid ASC
 LIMIT %s

-- client.contracts of 1 parent: ^0, ^1
SELECT t.subject, t.client
FROM tblcontracts AS t
WHERE t.client IN (%s) ORDER BY t.id ASC
 LIMIT %s

-- client.contracts of 4 parents: ^0, ^1, ^2, ^3, ^4
SELECT t.subject, t.client
FROM tblcontracts AS t
WHERE t.client IN (%s, %s, %s, %s) ORDER BY t.client, t.id ASC
 LIMIT %s

-- client.contracts where there are many: ^0, ^1, ^2, ^3, $2, ^4
SELECT w.c0, w.c1
FROM (SELECT t.subject AS c0, t.client AS c1, row_number() OVER (PARTITION BY t.client ORDER BY t.id ASC) AS n
FROM tblcontracts AS t
WHERE t.client IN (%s, %s, %s, %s)) AS w
WHERE w.n <= %s ORDER BY w.n
 LIMIT %s

-- payments of 1 parent: '^[0-9]{1,18}$', '^[0-9]{1,18}$', ^0, ^1
SELECT t.amount, t.paymentmode, t.id, CASE WHEN (t.paymentmode REGEXP %s) THEN CASE WHEN (t.paymentmode REGEXP %s) THEN CAST(t.paymentmode AS SIGNED INTEGER) END ELSE NULL END AS anon_1, t.invoiceid
FROM tblinvoicepaymentrecords AS t
WHERE t.invoiceid IN (%s) ORDER BY t.id ASC
 LIMIT %s

-- payments of 4 parents: '^[0-9]{1,18}$', '^[0-9]{1,18}$', ^0, ^1, ^2, ^3, ^4
SELECT t.amount, t.paymentmode, t.id, CASE WHEN (t.paymentmode REGEXP %s) THEN CASE WHEN (t.paymentmode REGEXP %s) THEN CAST(t.paymentmode AS SIGNED INTEGER) END ELSE NULL END AS anon_1, t.invoiceid
FROM tblinvoicepaymentrecords AS t
WHERE t.invoiceid IN (%s, %s, %s, %s) ORDER BY t.invoiceid, t.id ASC
 LIMIT %s

-- payments where there are many: '^[0-9]{1,18}$', '^[0-9]{1,18}$', ^0, ^1, ^2, ^3, $3, ^4
SELECT w.c0, w.c1, w.c2, w.c3, w.c4
FROM (SELECT t.amount AS c0, t.paymentmode AS c1, t.id AS c2, CASE WHEN (t.paymentmode REGEXP %s) THEN CASE WHEN (t.paymentmode REGEXP %s) THEN CAST(t.paymentmode AS SIGNED INTEGER) END ELSE NULL END AS c3, t.invoiceid AS c4, row_number() OVER (PARTITION BY t.invoiceid ORDER BY t.id ASC) AS n
FROM tblinvoicepaymentrecords AS t
WHERE t.invoiceid IN (%s, %s, %s, %s)) AS w
WHERE w.n <= %s ORDER BY w.n
 LIMIT %s

-- payments.payment_mode of 1 parent: ^0, ^1
SELECT t.name, t.id
FROM tblpayment_modes AS t
WHERE t.id IN (%s) ORDER BY t.id ASC
 LIMIT %s

-- payments.payment_mode of 4 parents: ^0, ^1, ^2, ^3, ^4
SELECT t.name, t.id
FROM tblpayment_modes AS t
WHERE t.id IN (%s, %s, %s, %s) ORDER BY t.id, t.id ASC
 LIMIT %s
