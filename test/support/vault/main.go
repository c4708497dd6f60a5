// A real Vault core (in memory) with the engines that Brevet's tests need and none of the cloud plugins, so that it
// builds from a cold cache in a few minutes on two cores.
//
//	vault-server ADDRESS
//
// Prints {"address":…,"root_token":…,"unseal_key":…} on one line when it serves, and ends when its standard input does:
// with the tests that started it, however these end. It is for tests and benchmarks alone.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"github.com/hashicorp/go-hclog"
	vaultjwt "github.com/hashicorp/vault-plugin-auth-jwt"
	"github.com/hashicorp/vault/builtin/credential/approle"
	"github.com/hashicorp/vault/builtin/logical/database"
	vaulthttp "github.com/hashicorp/vault/http"
	"github.com/hashicorp/vault/internalshared/configutil"
	"github.com/hashicorp/vault/plugins/database/postgresql"
	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/physical/inmem"
	"github.com/hashicorp/vault/vault"
)

const postgresPlugin = "postgresql-database-plugin"

// builtins offers the one database plugin, which the database engine looks up by name.
type builtins struct{}

func (builtins) Contains(name string, kind consts.PluginType) bool {
	return name == postgresPlugin && kind == consts.PluginTypeDatabase
}

func (b builtins) Get(name string, kind consts.PluginType) (func() (interface{}, error), bool) {
	return postgresql.New, b.Contains(name, kind)
}

func (builtins) Keys(kind consts.PluginType) []string {
	if kind == consts.PluginTypeDatabase {
		return []string{postgresPlugin}
	}
	return nil
}

func (b builtins) DeprecationStatus(name string, kind consts.PluginType) (consts.DeprecationStatus, bool) {
	return consts.Supported, b.Contains(name, kind)
}

func (builtins) IsBuiltinEntPlugin(string, consts.PluginType) bool { return false }

func main() {
	if len(os.Args) != 2 {
		check(fmt.Errorf("usage: vault-server ADDRESS"))
	}
	address := os.Args[1]
	logger := hclog.New(&hclog.LoggerOptions{Level: hclog.Error})
	store, err := inmem.NewInmem(nil, logger)
	check(err)

	core, err := vault.NewCore(&vault.CoreConfig{
		Physical:           store,
		Logger:             logger,
		DisableMlock:       true,
		BuiltinRegistry:    builtins{},
		LogicalBackends:    map[string]logical.Factory{"database": database.Factory, "kv": vault.PassthroughBackendFactory},
		CredentialBackends: map[string]logical.Factory{"approle": approle.Factory, "jwt": vaultjwt.Factory},
	})
	check(err)

	shares := &vault.SealConfig{SecretShares: 1, SecretThreshold: 1}
	keys, err := core.Initialize(context.Background(), &vault.InitParams{BarrierConfig: shares, RecoveryConfig: shares})
	check(err)
	_, err = core.Unseal(keys.SecretShares[0])
	check(err)

	listener, err := net.Listen("tcp", address)
	check(err)
	check(json.NewEncoder(os.Stdout).Encode(map[string]string{
		"address": "http://" + listener.Addr().String(), "root_token": keys.RootToken,
		"unseal_key": base64.StdEncoding.EncodeToString(keys.SecretShares[0]),
	}))
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	check(http.Serve(listener, vaulthttp.Handler.Handler(&vault.HandlerProperties{
		Core: core, ListenerConfig: &configutil.Listener{Address: address},
	})))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
