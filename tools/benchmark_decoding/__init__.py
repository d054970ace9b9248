"""Translation speed beside other toolkits: OpenNMT-py, JoeyNMT and Marian, each in an environment of its own."""
