"""The store on PostgreSQL: a truth that several instances share.

`store` is the port; `appends` groups messages into `batch`es of plain SQL (`statements`), on
connections of their own (`connections`); `failures` says what a failure leaves unsaid, and `fate`
finds it out.
"""
