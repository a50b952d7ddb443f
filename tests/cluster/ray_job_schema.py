"""The JSON schema of a RayJob, `ray.io/v1`: fields, types and required fields of KubeRay's API types.

Source: RayJobSpec at commit 0057210 and RayClusterSpec at 026f143 in ray-operator/apis/ray/v1 of
github.com/ray-project/kuberay. Types of Kubernetes itself, such as a pod's template, may be any object here.
"""

from collections.abc import Collection
from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}
OBJECT: Schema = {"type": "object"}
TEXT_BY_NAME: Schema = {"type": "object", "additionalProperties": TEXT}


def one_of(*values: str) -> Schema:
    return {"enum": list(values)}


def fields(properties: Schema, required: Collection[str] = ()) -> Schema:
    """Return the schema of an object with no other fields, which the API server would drop silently."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def many(items: Schema) -> Schema:
    return {"type": "array", "items": items}


HEAD_GROUP = fields(
    {
        "serviceType": one_of("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"),
        "headService": OBJECT,
        "enableIngress": FLAG,
        "rayStartParams": TEXT_BY_NAME,
        "template": OBJECT,
    },
    ["rayStartParams", "template"],
)
WORKER_GROUP = fields(
    {
        "groupName": TEXT,
        "replicas": COUNT,
        "minReplicas": COUNT,
        "maxReplicas": COUNT,
        "numOfHosts": COUNT,
        "rayStartParams": TEXT_BY_NAME,
        "template": OBJECT,
        "scaleStrategy": fields({"workersToDelete": many(TEXT), "multihostReplicasToDelete": many(TEXT)}),
    },
    ["groupName", "minReplicas", "maxReplicas", "rayStartParams", "template"],
)
RAY_CLUSTER = fields(
    {
        "headGroupSpec": HEAD_GROUP,
        "workerGroupSpecs": many(WORKER_GROUP),
        "rayVersion": TEXT,
        "enableInTreeAutoscaling": FLAG,
        "autoscalerOptions": fields(
            {
                "resources": OBJECT,
                "image": TEXT,
                "imagePullPolicy": one_of("Always", "Never", "IfNotPresent"),
                "env": many(OBJECT),
                "envFrom": many(OBJECT),
                "volumeMounts": many(OBJECT),
                "securityContext": OBJECT,
                "idleTimeoutSeconds": COUNT,
                "upscalingMode": one_of("Default", "Aggressive", "Conservative"),
            }
        ),
        "headServiceAnnotations": TEXT_BY_NAME,
        "suspend": FLAG,
    },
    ["headGroupSpec"],
)
RAY_JOB = fields(
    {
        "apiVersion": {"const": "ray.io/v1"},
        "kind": {"const": "RayJob"},
        "metadata": {"type": "object", "required": ["name"]},
        "spec": fields(
            {
                "activeDeadlineSeconds": COUNT,
                "backoffLimit": COUNT,
                "rayClusterSpec": RAY_CLUSTER,
                "submitterPodTemplate": OBJECT,
                "metadata": TEXT_BY_NAME,
                "clusterSelector": TEXT_BY_NAME,
                "submitterConfig": fields({"backoffLimit": COUNT}),
                "managedBy": one_of("ray.io/kuberay-operator", "kueue.x-k8s.io/multikueue"),
                "deletionStrategy": OBJECT,
                "entrypoint": TEXT,
                "runtimeEnvYAML": TEXT,
                "jobId": TEXT,
                "submissionMode": one_of("K8sJobMode", "HTTPMode", "InteractiveMode"),
                "entrypointResources": TEXT,
                "entrypointNumCpus": NUMBER,
                "entrypointNumGpus": NUMBER,
                "ttlSecondsAfterFinished": COUNT,
                "shutdownAfterJobFinishes": FLAG,
                "suspend": FLAG,
                "schedule": TEXT,
            }
        ),
    },
    ["apiVersion", "kind", "metadata", "spec"],
)
