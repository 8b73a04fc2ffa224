"""`heptagrid carry`: the message plane alone, a communication network and traffic in, deliveries out."""
