"""Setup of a shop: a new folder, a stand-in base, samples, and checks before the first night."""
