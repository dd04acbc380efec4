// Signs and verifies images with notation-go, as notation's command line does; that is not built, for its module does
// not install by version.
//
//	notation sign FORMAT KEY CHAIN HOST/REPO@DIGEST [TSA-URL TSA-ROOT]     FORMAT: jws or cose
//	notation verify ROOT HOST/REPO@DIGEST [TSA-ROOT]
//	notation judge TRUSTPOLICY CONFIG HOST/REPO@DIGEST                     CONFIG: a folder with truststore/x509
//
// Files are PEM; the key is PKCS#8. Registries are asked over plain HTTP.
package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log"
	"os"

	"github.com/notaryproject/notation-core-go/revocation"
	"github.com/notaryproject/notation-core-go/revocation/purpose"
	"github.com/notaryproject/notation-core-go/signature/cose"
	"github.com/notaryproject/notation-core-go/signature/jws"
	"github.com/notaryproject/notation-go"
	"github.com/notaryproject/notation-go/dir"
	"github.com/notaryproject/notation-go/registry"
	"github.com/notaryproject/notation-go/signer"
	"github.com/notaryproject/notation-go/verifier"
	"github.com/notaryproject/notation-go/verifier/trustpolicy"
	"github.com/notaryproject/notation-go/verifier/truststore"
	"github.com/notaryproject/tspclient-go"
	"oras.land/oras-go/v2/registry/remote"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func certificates(file string) []*x509.Certificate {
	var found []*x509.Certificate
	for rest := must(os.ReadFile(file)); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return found
		}
		found = append(found, must(x509.ParseCertificate(block.Bytes)))
	}
}

func repository(name string) registry.Repository {
	found := must(remote.NewRepository(name))
	found.PlainHTTP = true
	return registry.NewRepository(found)
}

type stores map[string][]*x509.Certificate

func (s stores) GetCertificates(_ context.Context, kind truststore.Type, name string) ([]*x509.Certificate, error) {
	return s[string(kind)+":"+name], nil
}

func sign(format, key, chain, name string, tsa []string) {
	block, _ := pem.Decode(must(os.ReadFile(key)))
	private := must(x509.ParsePKCS8PrivateKey(block.Bytes)).(crypto.PrivateKey)
	holder := must(signer.NewGenericSigner(private, certificates(chain)))
	options := notation.SignOptions{ArtifactReference: name, UserMetadata: map[string]string{"by": "notation"}}
	options.SignatureMediaType = map[string]string{"jws": jws.MediaTypeEnvelope, "cose": cose.MediaTypeEnvelope}[format]
	if len(tsa) == 2 {
		options.Timestamper = must(tspclient.NewHTTPTimestamper(nil, tsa[0]))
		options.TSARootCAs = x509.NewCertPool()
		for _, root := range certificates(tsa[1]) {
			options.TSARootCAs.AddCert(root)
		}
		options.TSARevocationValidator = must(revocation.NewWithOptions(
			revocation.Options{CertChainPurpose: purpose.Timestamping}))
	}
	must(notation.Sign(context.Background(), holder, repository(name), options))
}

func verify(root, name string, tsa []string) {
	known := stores{"ca:test": certificates(root)}
	policy := trustpolicy.TrustPolicy{
		Name:                  "test",
		RegistryScopes:        []string{"*"},
		SignatureVerification: trustpolicy.SignatureVerification{VerificationLevel: "strict"},
		TrustStores:           []string{"ca:test"},
		TrustedIdentities:     []string{"*"},
	}
	if len(tsa) == 1 {
		known["tsa:test"] = certificates(tsa[0])
		policy.TrustStores = append(policy.TrustStores, "tsa:test")
	}
	document := &trustpolicy.Document{Version: "1.0", TrustPolicies: []trustpolicy.TrustPolicy{policy}}
	judge := must(verifier.New(document, known, nil))
	options := notation.VerifyOptions{ArtifactReference: name, MaxSignatureAttempts: 100}
	_, outcomes, err := notation.Verify(context.Background(), judge, repository(name), options)
	if err != nil {
		log.Fatal(err)
	}
	for _, outcome := range outcomes {
		fmt.Println(must(outcome.UserMetadata()))
	}
}

func judge(policy, config, name string) {
	var document trustpolicy.Document
	if err := json.Unmarshal(must(os.ReadFile(policy)), &document); err != nil {
		log.Fatal(err)
	}
	judge := must(verifier.New(&document, truststore.NewX509TrustStore(dir.NewSysFS(config)), nil))
	options := notation.VerifyOptions{ArtifactReference: name, MaxSignatureAttempts: 100}
	if _, _, err := notation.Verify(context.Background(), judge, repository(name), options); err != nil {
		log.Fatal(err)
	}
}

func main() {
	log.SetFlags(0)
	switch arguments := os.Args[1:]; arguments[0] {
	case "sign":
		sign(arguments[1], arguments[2], arguments[3], arguments[4], arguments[5:])
	case "verify":
		verify(arguments[1], arguments[2], arguments[3:])
	case "judge":
		judge(arguments[1], arguments[2], arguments[3])
	default:
		log.Fatalf("no command %q", arguments[0])
	}
}
