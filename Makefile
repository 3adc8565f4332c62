# Everything a developer runs. Needs Go 1.26; `make test` brings its own redis-server where it can.

GO ?= go
LINT := bin/golangci-lint

.DEFAULT_GOAL := help
.PHONY: help build test lint fmt demo clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "%-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/connect-processor
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/connect-processor ./cmd/connect-processor

test: ## run all tests with the race detector, installing redis-server first where that is allowed
	test/setup/redis.sh
	$(GO) test -race ./...
	cd tools/deploy && $(GO) test -count=1 ./... # reads files outside its module, which the test cache does not watch

lint: $(LINT) ## check the code with golangci-lint
	$(LINT) run ./...

fmt: $(LINT) ## format the code
	$(LINT) fmt ./...

demo: ## watch orders go from pending to approved, with nothing but this machine
	$(GO) run ./cmd/connect-processor demo

clean: ## remove what was built
	rm -rf bin

# The linter is built once per version; tools/go.mod keeps it out of the project's own dependencies.
$(LINT): tools/go.mod tools/go.sum
	cd tools && $(GO) build -o ../$(LINT) github.com/golangci/golangci-lint/v2/cmd/golangci-lint
