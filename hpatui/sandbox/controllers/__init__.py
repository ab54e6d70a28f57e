"""The sandbox's control loops: each reads and writes through the store as Kubernetes' do through the API."""
