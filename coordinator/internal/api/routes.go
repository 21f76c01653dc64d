package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"ingest/shared/token"
)

// handler answers a request that is allowed, or returns why it does not; it then has written nothing.
type handler func(w http.ResponseWriter, r *http.Request) error

// open is the role of routes that need no token.
const open token.Role = "open"

// route is one operation: no route exists without the role it needs and its documentation.
type route struct {
	method string
	// path is relative to where the API begins, or, for root routes, to the server.
	path string
	root bool
	role token.Role
	doc  operation
	do   handler
}

func (a *API) routes() []route {
	return []route{
		{method: "GET", path: "/", role: token.Viewer, do: a.list, doc: docList()},
		{method: "GET", path: "/{id:[0-9]+}", role: token.Viewer, do: a.show, doc: docShow()},
		{method: "GET", path: "/{id:[0-9]+}/rows", role: token.Viewer, do: a.rows, doc: docRows()},
		{method: "GET", path: "/{id:[0-9]+}/rows/{number:[0-9]+}", role: token.Viewer, do: a.explain, doc: docExplain()},
		{method: "GET", path: "/{id:[0-9]+}/errors/summary", role: token.Viewer, do: a.errors, doc: docErrors()},
		{method: "GET", path: "/{id:[0-9]+}/failed-rows/download", role: token.Viewer, do: a.download, doc: docDownload()},
		{method: "GET", path: "/{id:[0-9]+}/events", role: token.Viewer, do: a.runEvents, doc: docRunEvents()},
		{method: "GET", path: "/{id:[0-9]+}/verify", role: token.Viewer, do: a.verify, doc: docVerify()},
		{method: "POST", path: "/upload/{importer}", role: token.Operator, do: a.upload, doc: docUpload()},
		{method: "POST", path: "/trigger/{importer}", role: token.Operator, do: a.trigger, doc: docTrigger()},
		{method: "POST", path: "/{id:[0-9]+}/cancel", role: token.Operator, do: a.cancel, doc: docCancel()},
		{method: "POST", path: "/{id:[0-9]+}/retry", role: token.Operator, do: a.retry, doc: docRetry()},
		{method: "POST", path: "/{id:[0-9]+}/rebuild", role: token.Operator, do: a.rebuild, doc: docRebuild()},
		{method: "GET", path: "/events", role: token.Viewer, do: a.allEvents, doc: docAllEvents()},
		{method: "GET", path: "/importers", role: token.Viewer, do: a.importers, doc: docImporters()},
		{method: "GET", path: "/importers/{importer}", role: token.Viewer, do: a.importer, doc: docImporter()},
		{method: "GET", path: "/importers/{importer}/preview", role: token.Viewer, do: a.preview, doc: docPreview()},
		{method: "GET", path: "/check", role: token.Viewer, do: a.check, doc: docCheck()},
		{method: "GET", path: "/workers", role: token.Viewer, do: a.workers, doc: docWorkers()},
		{method: "GET", path: "/openapi.json", role: open, root: true, do: a.openapi, doc: docOpenAPI()},
		{method: "GET", path: "/docs", role: open, root: true, do: a.docs, doc: docDocs()},
		{method: "GET", path: "/docs/{asset:" + assets + "}", role: open, root: true, do: a.docs, doc: docAsset()},
		{method: "GET", path: "/healthz", role: open, root: true, do: a.healthz, doc: docHealthz()},
		{method: "GET", path: "/readyz", role: open, root: true, do: a.readyz, doc: docReadyz()},
	}
}

// full is the path of a route as the server knows it.
func (a *API) full(r route) string {
	if r.root {
		return r.path
	}
	return strings.TrimSuffix(a.Config.Path+r.path, "/")
}

// router serves every path with and without a trailing slash. Each path is registered once, for all of its methods: the
// router itself would answer some wrong methods with 404.
func (a *API) router(routes []route) *mux.Router {
	router := mux.NewRouter().SkipClean(true)
	methods := map[string]map[string]route{}
	var paths []string
	for _, r := range routes {
		path := a.full(r)
		if methods[path] == nil {
			methods[path] = map[string]route{}
			paths = append(paths, path)
		}
		methods[path][r.method] = r
	}
	for _, path := range paths {
		serve := a.dispatch(methods[path])
		router.Handle(path, serve)
		router.Handle(path+"/", serve)
	}
	router.NotFoundHandler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		problem(http.StatusNotFound, "There is no such route; /openapi.json lists them.").write(w)
	})
	return router
}

// dispatch picks the route of a path by method, and refuses who may not use it.
func (a *API) dispatch(methods map[string]route) http.Handler {
	var allowed []string
	for method := range methods {
		allowed = append(allowed, method)
	}
	if slices.Contains(allowed, http.MethodGet) {
		allowed = append(allowed, http.MethodHead)
	}
	slices.Sort(allowed)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		method := r.Method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		found, ok := methods[method]
		if !ok {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			problem(http.StatusMethodNotAllowed, r.Method+" is not allowed here; allowed: "+strings.Join(allowed, ", ")+".").write(w)
			return
		}
		user, err := a.admit(r, found.role)
		if err == nil && !found.root {
			err = misspelt(r, found.doc.params)
		}
		if err == nil {
			err = found.do(w, r.WithContext(withUser(r.Context(), user)))
		}
		if err != nil {
			a.refuse(w, r, err)
		}
	})
}
