// An in-memory registry with the Referrers API over go-containerregistry's pkg/registry.
//
// Listens on the address given as the only argument (host:0 takes a free port) and prints the real one as its
// first line of output. With CERT and KEY in the environment it speaks TLS.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	handler := registry.New(registry.WithReferrersSupport(true), registry.Logger(log.New(io.Discard, "", 0)))
	if cert := os.Getenv("CERT"); cert != "" {
		log.Fatal(http.ServeTLS(listener, handler, cert, os.Getenv("KEY")))
	}
	log.Fatal(http.Serve(listener, handler))
}
