// An in-memory registry with the Referrers API over cuelabs' ociregistry (ocimem behind ociserver).
//
// Listens on the address given as the only argument (host:0 takes a free port) and prints the real one as its
// first line of output. With CERT and KEY in the environment it speaks TLS.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"

	"cuelabs.dev/go/oci/ociregistry/ocimem"
	"cuelabs.dev/go/oci/ociregistry/ociserver"
)

func main() {
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	handler := ociserver.New(ocimem.New(), nil)
	if cert := os.Getenv("CERT"); cert != "" {
		log.Fatal(http.ServeTLS(listener, handler, cert, os.Getenv("KEY")))
	}
	log.Fatal(http.Serve(listener, handler))
}
